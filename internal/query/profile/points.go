package profile

import (
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/loyalty"
	"counterpart/internal/platform/pg"
)

// PointsLife is what else there is to say of somebody's points.
type PointsLife struct {
	Owed      int64      // spent before what earned them came back
	Revivable int64      // that ended, and a visit brings back
	ReviveBy  *time.Time // the last whole day
}

// QueuePointsLife asks for it.
func QueuePointsLife(batch *pgx.Batch, person int64, life *PointsLife) {
	batch.Queue(`
		SELECT coalesce((SELECT sum(points) FROM points_debt WHERE customer_id IN (`+customer.Members+`)), 0)::bigint AS owed,
			coalesce(sum(l.expired), 0)::bigint AS revivable, min(l.expired_at + make_interval(days => p.grace_days)) - interval '1 day' AS revive_by
		FROM programme p
		LEFT JOIN points_lot l ON l.expired > 0 AND l.revived_at IS NULL AND l.expired_at > now() - make_interval(days => p.grace_days)
			AND l.customer_id IN (`+customer.Members+`)`, pgx.NamedArgs{"person": person}).
		Query(func(rows pgx.Rows) (err error) {
			*life, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[PointsLife])
			return err
		})
}

// QueueStanding asks where somebody stands in the programme; it stays nil where that was never counted.
func QueueStanding(batch *pgx.Batch, person int64, s **loyalty.Stands) {
	batch.Queue(loyalty.StandsQuery, pgx.NamedArgs{"person": person}).Query(func(rows pgx.Rows) (err error) {
		*s, err = pg.Row[loyalty.Stands](rows, nil)
		return err
	})
}

// PointsEntry is a line of somebody's statement.
type PointsEntry struct {
	At       time.Time
	Points   int64
	Cause    string
	Number   int64      // of the order; 0: it is about none
	PublicID string     // of the order
	VestsAt  *time.Time // of what is pending
}

// QueuePointsStatement asks for the last lines of a person's statement, the youngest first. What one thing did to several
// lots is one line.
func QueuePointsStatement(batch *pgx.Batch, person int64, most int, all *[]PointsEntry) {
	batch.Queue(`
		SELECT e.at, sum(e.delta)::bigint AS points, e.cause, coalesce(o.number, 0) AS number,
			coalesce(o.public_id, '') AS public_id, max(l.vests_at) FILTER (WHERE e.cause = 'earned' AND l.vests_at > now()) AS vests_at
		FROM points_entry e
		JOIN points_lot l ON l.id = e.lot_id
		LEFT JOIN orders o ON o.id = e.order_id
		WHERE e.customer_id IN (`+customer.Members+`)
		GROUP BY e.at, e.cause, o.id
		ORDER BY e.at DESC, max(e.id) DESC
		LIMIT @most`, pgx.NamedArgs{"person": person, "most": most}).Query(collect(all))
}
