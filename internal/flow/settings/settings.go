// Package settings is what the admin decides for the whole shop; each change is in the audit trail.
package settings

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/delivery"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/policy"
	"counterpart/internal/domain/staff"
	"counterpart/internal/domain/tax"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
)

// change writes something, and who did, in one transaction.
func change(ctx context.Context, db pg.DB, at origin.Origin, write func(tx pgx.Tx) (staff.Entry, error)) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		entry, err := write(tx)
		if err != nil {
			return err
		}
		entry.AssociateID = at.AssociateID
		return staff.Log(ctx, tx, entry)
	})
}

// SetPolicy decides about points, returns and shortages.
func SetPolicy(ctx context.Context, db pg.DB, at origin.Origin, p policy.Policy) error {
	limits := map[string]string{}
	for _, limit := range p.RefundLimits {
		limits[limit.Currency] = limit.Plain()
	}
	return change(ctx, db, at, func(tx pgx.Tx) (staff.Entry, error) {
		return staff.Entry{Action: "shop.policy", Subject: "shop", After: map[string]any{"points_rate": p.PointsRate,
			"points_worth": p.PointsWorth, "points_minimum": p.PointsMinimum, "return_days": p.ReturnDays,
			"refund_limit": limits, "keep_delivery": p.KeepDelivery}}, policy.Set(ctx, tx, p)
	})
}

// SaveDelivery writes a delivery method; one without an id is a new one, and gets one.
func SaveDelivery(ctx context.Context, db pg.DB, at origin.Origin, m *delivery.Method) error {
	return change(ctx, db, at, func(tx pgx.Tx) (staff.Entry, error) {
		err := delivery.Save(ctx, tx, m)
		return staff.Entry{Action: "delivery.kept", Subject: "delivery", SubjectID: m.ID,
			After: map[string]any{"name": m.Name, "active": m.Active}}, err
	})
}

// SetSeller writes who sells: of the shop where the location is 0, or of one location.
func SetSeller(ctx context.Context, db pg.DB, at origin.Origin, locationID int64, s location.Seller) error {
	return change(ctx, db, at, func(tx pgx.Tx) (staff.Entry, error) {
		return staff.Entry{Action: "shop.seller", Subject: "location", SubjectID: locationID,
				After: map[string]any{"legal_name": s.LegalName, "vat_number": s.VATNumber}},
			location.SetSeller(ctx, tx, locationID, s)
	})
}

// SetTaxRate writes the rate of a class in a place. What was sold keeps the rate it was sold at.
func SetTaxRate(ctx context.Context, db pg.DB, at origin.Origin, rate tax.Rate) error {
	classes, err := tax.Classes(ctx, db)
	if err != nil {
		return err
	}
	var form fault.Form
	tax.Check(&rate, &form)
	if !slices.ContainsFunc(classes, func(c tax.Class) bool { return c.Code == rate.Class }) {
		form.Add("class", "Choose a tax class from the list.")
	}
	if err := form.Err(); err != nil {
		return err
	}
	return change(ctx, db, at, func(tx pgx.Tx) (staff.Entry, error) {
		return staff.Entry{Action: "tax.rate", Subject: "shop", After: map[string]any{"country": rate.Country,
			"region": rate.Region, "class": rate.Class, "ppm": rate.PPM}}, tax.Set(ctx, tx, rate)
	})
}
