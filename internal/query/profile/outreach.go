package profile

import (
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/customer"
)

// Watch is what somebody waits to be told.
type Watch struct {
	ID      int64
	Kind    string
	Slug    string
	Title   string
	Choice  string // of the variant
	Proven  bool
	AskedAt time.Time
}

// QueueWatches asks for what a person waits for.
func QueueWatches(batch *pgx.Batch, person int64, language string, all *[]Watch) {
	batch.Queue(`
		SELECT w.id, w.kind, p.slug, t.title, array_to_string(v.options, ', '), w.proven_at IS NOT NULL, w.asked_at
		FROM watch w
		JOIN variant v ON v.id = w.variant_id
		JOIN product p ON p.id = v.product_id
		CROSS JOIN LATERAL (
			SELECT title FROM product_text WHERE product_id = p.id
			ORDER BY language = @language DESC, language = 'en' DESC LIMIT 1) t
		WHERE w.customer_id IN (`+customer.Members+`) AND w.ended_at IS NULL
		ORDER BY w.id DESC
		LIMIT 100`, pgx.NamedArgs{"person": person, "language": language}).Query(collect(all))
}

// Message is one that was not owed, with why it went or did not.
type Message struct {
	Kind, Medium  string
	State, Reason string
	Slug, Title   string // of the first product that it is about
	Associate     string
	AskedAt       *time.Time
	MadeAt        time.Time
}

// QueueMessages asks for what was written to a person, or was to be.
func QueueMessages(batch *pgx.Batch, person int64, language string, most int, all *[]Message) {
	batch.Queue(`
		SELECT o.kind, o.medium, o.state, o.reason, coalesce(p.slug, ''), coalesce(t.title, ''), coalesce(a.name, ''),
			w.asked_at, o.made_at
		FROM outreach o
		LEFT JOIN watch w ON w.id = o.watch_id
		LEFT JOIN product p ON p.id = o.products[1]
		LEFT JOIN LATERAL (
			SELECT title FROM product_text WHERE product_id = p.id
			ORDER BY language = @language DESC, language = 'en' DESC LIMIT 1) t ON true
		LEFT JOIN associate a ON a.id = o.associate_id
		WHERE o.customer_id IN (`+customer.Members+`)
		ORDER BY o.id DESC
		LIMIT @most`, pgx.NamedArgs{"person": person, "language": language, "most": most}).Query(collect(all))
}
