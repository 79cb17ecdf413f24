package admin

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/loyalty"
	"counterpart/internal/platform/pg"
)

// PointsFigures are what the shop owes its customers in points, and what became of them in the last twelve months.
type PointsFigures struct {
	People, Spendable, Pending, Owed int64
	Earned, Spent, TakenBack         int64
	Expired, Revived, Adjusted       int64
	Currency                         string        // in which they are valued
	Worth                            int           // so many are worth one whole unit
	Months                           []PointsMonth `db:"-"`
}

// PointsMonth is how many points end in a month, if nobody spends them. Month is its first day.
type PointsMonth struct {
	Month  time.Time
	Points int64
}

// Breakage is the share of points that ended in those that were spent or ended, in per cent.
func (f PointsFigures) Breakage() int64 {
	ended := f.Expired - f.Revived
	if ended <= 0 || ended+f.Spent <= 0 {
		return 0
	}
	return (100*ended + (ended+f.Spent)/2) / (ended + f.Spent)
}

// Points reads them.
func Points(ctx context.Context, db pg.DB) (f PointsFigures, err error) {
	err = pg.Ask(ctx, db, func(batch *pgx.Batch) {
		batch.Queue(`
			SELECT lots.people, lots.spendable, lots.pending, coalesce((SELECT sum(points) FROM points_debt), 0)::bigint AS owed,
				e.earned, e.spent, e.taken_back, e.expired, e.revived, e.adjusted, home.currency::text AS currency,
				shop.points_worth AS worth
			FROM shop
			CROSS JOIN home_location(NULL, NULL) home
			CROSS JOIN (
				SELECT count(DISTINCT customer_id) AS people, coalesce(sum(remaining) FILTER (WHERE vests_at <= now()), 0)::bigint AS spendable,
					coalesce(sum(remaining) FILTER (WHERE vests_at > now()), 0)::bigint AS pending
				FROM points_lot
				WHERE remaining > 0) lots
			CROSS JOIN (
				SELECT coalesce(sum(delta) FILTER (WHERE cause = 'earned'), 0)::bigint AS earned,
					coalesce(-sum(delta) FILTER (WHERE cause IN ('spent', 'restored')), 0)::bigint AS spent,
					coalesce(-sum(delta) FILTER (WHERE cause IN ('taken_back', 'debt')), 0)::bigint AS taken_back,
					coalesce(-sum(delta) FILTER (WHERE cause = 'expired'), 0)::bigint AS expired,
					coalesce(sum(delta) FILTER (WHERE cause = 'revived'), 0)::bigint AS revived,
					coalesce(sum(delta) FILTER (WHERE cause IN ('given', 'adjusted')), 0)::bigint AS adjusted
				FROM points_entry
				WHERE at > now() - interval '1 year') e`).Query(func(rows pgx.Rows) (err error) {
			f, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[PointsFigures])
			return err
		})
		batch.Queue(`
			SELECT date_trunc('month', last_day)::date AS month, sum(remaining)::bigint AS points
			FROM (
				SELECT l.remaining, points_last_day(p.expiry, p.expiry_since, p.expiry_months,
					(SELECT time_zone FROM home_location(NULL, NULL)), l.vests_at, active.at) AS last_day
				FROM points_lot l
				CROSS JOIN programme p
				JOIN customer c ON c.id = l.customer_id
				LEFT JOIN (
					SELECT coalesce(m.merged_into, m.id) AS person, max(e.at) AS at
					FROM points_entry e
					JOIN customer m ON m.id = e.customer_id
					WHERE e.cause IN ('earned', 'spent', 'revived') AND (SELECT expiry FROM programme) = 'inactivity'
					GROUP BY 1) active ON active.person = coalesce(c.merged_into, c.id)
				WHERE l.remaining > 0) lot
			WHERE last_day IS NOT NULL
			GROUP BY 1
			ORDER BY 1
			LIMIT 12`).Query(func(rows pgx.Rows) error {
			months, err := pgx.CollectRows(rows, pgx.RowToStructByName[PointsMonth])
			f.Months = months
			return err
		})
	})
	if err != nil {
		return f, fmt.Errorf("read what is owed in points: %w", err)
	}
	return f, nil
}

// Tiers are those of the programme, the best first, each with how many hold it.
func Tiers(ctx context.Context, db pg.DB) ([]loyalty.Tier, error) {
	all, err := loyalty.Tiers(ctx, db)
	if err != nil {
		return nil, err
	}
	rows, err := db.Query(ctx, `
		SELECT s.tier_id, count(*)::int
		FROM standing s
		JOIN customer c ON c.id = s.customer_id AND c.merged_into IS NULL
		WHERE s.tier_id IS NOT NULL
		GROUP BY 1`)
	if err != nil {
		return nil, fmt.Errorf("count who holds a tier: %w", err)
	}
	held := map[int64]int{}
	var id int64
	var n int
	if _, err := pgx.ForEachRow(rows, []any{&id, &n}, func() error { held[id] = n; return nil }); err != nil {
		return nil, fmt.Errorf("count who holds a tier: %w", err)
	}
	for i := range all {
		all[i].Holders = held[all[i].ID]
	}
	return all, nil
}

// Currencies are those of the shop's price lists.
func Currencies(ctx context.Context, db pg.DB) ([]string, error) {
	rows, err := db.Query(ctx, `SELECT currency::text FROM price_list GROUP BY currency ORDER BY min(id)`)
	if err != nil {
		return nil, fmt.Errorf("read currencies: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}
