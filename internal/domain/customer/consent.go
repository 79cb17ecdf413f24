package customer

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/origin"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
)

// Purposes of consent, and the media of the one that has several. What is done in the shop itself has the medium
// InShop.
const (
	Marketing       = "marketing"
	Personalisation = "personalisation"
	Location        = "location"
	Clienteling     = "clienteling"
	Objection       = "objection" // given, it forbids profiling

	ByMail  = "mail"
	BySMS   = "sms"
	ByPush  = "push"
	ByPhone = "phone"
	InShop  = "shop"
)

// Choice is one thing that can be agreed to, with the sentence that is shown. A changed sentence gets a new version, so
// that it stays known what somebody agreed to.
type Choice struct {
	Purpose, Medium string
	Wording         int
	Title, Sentence string
}

// Choices are all there are, in the order in which they are shown.
var Choices = []Choice{
	{Personalisation, InShop, 1, "Save my browsing history",
		"Save the products I view and what I search for, so I can find them again and see what goes with them."},
	{Clienteling, InShop, 1, "Share it with staff",
		"When I’m in store, staff can see what I’ve viewed, my list and my sizes."},
	{Objection, InShop, 1, "Object to predictions",
		"Stop working out from what I buy and view what I might like: no “For you”, and no suggestions to staff about me."},
	{Location, InShop, 1, "Use my location",
		"Use my location, if my browser shares it, to sort stores by distance. It isn’t stored."},
	{Marketing, ByMail, 1, "News by email", "Email me about new products and offers."},
	{Marketing, BySMS, 1, "News by text", "Text me about new products and offers."},
	{Marketing, ByPush, 1, "Push notifications", "Send notifications about new products and offers to my devices."},
	{Marketing, ByPhone, 1, "Calls", "Call me about new products and offers."},
}

// Consented says whether a person agrees now. Whatever sends, shows or keeps something that needs it asks here at that
// moment.
func Consented(ctx context.Context, db pg.DB, person int64, purpose, medium string) (given bool, err error) {
	err = db.QueryRow(ctx, `SELECT consented($1, $2, $3)`, person, purpose, medium).Scan(&given)
	if err != nil {
		return false, fmt.Errorf("ask for consent: %w", err)
	}
	return given, nil
}

// ConsentEntry gives or withdraws one consent. Saying again what holds already writes nothing. Giving and withdrawing
// are one call.
type ConsentEntry struct {
	Purpose, Medium string
	Given           bool
	Source          origin.Channel
	AssociateID     int64 // who took it down at a counter; 0: they said it themselves
	LocationID      int64
}

// RecordConsent writes a person's answer.
func RecordConsent(ctx context.Context, tx pgx.Tx, person int64, a ConsentEntry) error {
	i := slices.IndexFunc(Choices, func(c Choice) bool { return c.Purpose == a.Purpose && c.Medium == a.Medium })
	if i < 0 {
		return fault.New(fault.Invalid, "Choose from the list.")
	}
	tag, err := tx.Exec(ctx, `
		INSERT INTO consent (customer_id, purpose, medium, given, wording, source, associate_id)
		SELECT @person, @purpose, @medium, @given, @wording, @source, nullif(@associate::bigint, 0)
		WHERE consented(@person, @purpose, @medium) <> @given`, pgx.NamedArgs{
		"person": person, "purpose": a.Purpose, "medium": a.Medium, "given": a.Given, "wording": Choices[i].Wording, "source": a.Source, "associate": a.AssociateID})
	if err != nil {
		return fmt.Errorf("write a consent: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return nil
	}
	kind := Withdrew
	if a.Given {
		kind = Agreed
	}
	return Record(ctx, tx, Fact{CustomerID: person, Kind: kind, Channel: a.Source, LocationID: a.LocationID,
		AssociateID: a.AssociateID, Detail: a.Purpose + " " + a.Medium})
}
