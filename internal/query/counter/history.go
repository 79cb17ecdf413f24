package counter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/customer"
	"counterpart/internal/platform/pg"
	"counterpart/internal/query/profile"
)

// Kinds of fact that a history can be narrowed to. Empty: everything.
const (
	OfOrders   = "orders"
	OfViews    = "views"
	OfMessages = "messages"
	OfStaff    = "staff"
	OfAccount  = "account"
)

// Parts are all of them, in the order in which they are offered.
var Parts = []string{"", OfOrders, OfViews, OfMessages, OfStaff, OfAccount}

// kinds of timeline of a part; of every other part those that are in none.
var kinds = map[string][]string{
	OfOrders: {customer.Bought, customer.Collected, customer.Cancelled, customer.Shipped, customer.Returned, "refunded",
		customer.Redeemed, "earned"},
	OfViews:    {customer.Added, customer.Wished, customer.Joined},
	OfMessages: {customer.Contacted},
	OfStaff:    {customer.Noted, customer.Opened, customer.Merged, customer.Unmerged},
	OfAccount: {customer.Registered, customer.SignedIn, customer.SignedOut, customer.Verified, customer.Removed, customer.Secured,
		customer.Agreed, customer.Withdrew, customer.Exported, customer.Disabled, customer.Enabled},
}

// Looked is how often somebody looked at a product.
type Looked struct {
	Slug, SKU, Title string
	Times, Days      int
	At               time.Time // last
}

// FollowUp is a reminder about somebody.
type FollowUp struct {
	ID        int64
	DueOn     time.Time
	Body      string
	Yearly    bool
	Associate string
	Mine      bool
}

// History is what happened with somebody over all channels, as far as they agreed that staff see it, and what is to be
// done about them.
type History struct {
	profile.Person
	Part      string
	Facts     []profile.Fact
	Looked    []Looked
	Searched  []profile.Searched
	Messages  []profile.Message
	Consents  []profile.Consent
	FollowUps []FollowUp
	Sees      bool // they agreed that staff see what they look at
	kept
}

// kept is what is added up about somebody, and whose client they are.
type kept struct {
	ClientOf     string
	Mine         bool
	Orders       int
	Web, InStore int
	Returned     int
	Currency     string
	Spent        int64
	LastAt       *time.Time
	NextOn       *time.Time
	Active       float64
	Foretold     bool
	Departments  []string
	Marketing    []string // media by which they agreed to be written to
}

// most facts of a history that are shown.
const most = 100

// HistoryPage reads it in one round trip. Nil when there is nobody, or when they are part of another.
func HistoryPage(ctx context.Context, db pg.DB, person, associateID int64, part, language string) (*History, error) {
	if !slices.Contains(Parts, part) {
		part = ""
	}
	h := &History{Part: part}
	batch := &pgx.Batch{}
	profile.Queue(batch, person, &h.Person)
	profile.QueueConsents(batch, person, &h.Consents)
	profile.QueueFacts(batch, person, kinds[part], most, &h.Facts)
	profile.QueueMessages(batch, person, language, 20, &h.Messages)
	profile.QueueSearched(batch, person, &h.Searched)
	batch.Queue(`
		SELECT p.slug, coalesce((SELECT sku FROM variant WHERE product_id = p.id AND active ORDER BY position LIMIT 1), ''),
			t.title, e.times, e.days, e.at
		FROM (
			SELECT e.product_id, count(*)::int AS times, (max(e.at)::date - min(e.at)::date + 1)::int AS days, max(e.at) AS at
			FROM identity i
			JOIN browse_event e ON e.device = i.value
			WHERE i.kind = 'device' AND i.verified_at IS NOT NULL AND i.customer_id IN (`+customer.Members+`)
				AND e.kind = 'viewed' AND e.at > now() - interval '90 days'
			GROUP BY e.product_id
			ORDER BY max(e.at) DESC
			LIMIT 20) e
		JOIN product p ON p.id = e.product_id
		CROSS JOIN LATERAL (
			SELECT title FROM product_text WHERE product_id = p.id
			ORDER BY language = @language DESC, language = 'en' DESC LIMIT 1) t
		ORDER BY e.at DESC`, pgx.NamedArgs{"person": person, "language": language}).Query(func(rows pgx.Rows) (err error) {
		h.Looked, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Looked])
		return err
	})
	batch.Queue(`
		SELECT f.id, f.due_on, f.body, f.yearly, a.name, a.id = @associate
		FROM follow_up f
		JOIN associate a ON a.id = f.associate_id
		WHERE f.customer_id IN (`+customer.Members+`) AND f.done_at IS NULL
		ORDER BY f.due_on, f.id
		LIMIT 50`, pgx.NamedArgs{"person": person, "associate": associateID}).Query(func(rows pgx.Rows) (err error) {
		h.FollowUps, err = pgx.CollectRows(rows, pgx.RowToStructByPos[FollowUp])
		return err
	})
	batch.Queue(`
		SELECT coalesce(a.name, '') AS client_of, coalesce(a.id = @associate, false) AS mine, coalesce(f.orders, 0) AS orders,
			coalesce(f.web_orders, 0) AS web, coalesce(f.store_orders, 0) AS in_store, coalesce(f.returned_units, 0) AS returned,
			coalesce(f.currency, '') AS currency, coalesce(f.spent, 0) AS spent, f.last_at, p.next_on,
			coalesce(p.active, 0)::float8 AS active, p.customer_id IS NOT NULL AS foretold,
			ARRAY(
				SELECT t.name FROM unnest(f.departments) WITH ORDINALITY AS d (id, n)
				JOIN category_text t ON t.category_id = d.id AND t.language = 'en' ORDER BY d.n) AS departments,
			ARRAY(SELECT medium FROM unnest(ARRAY['mail', 'sms']) AS medium
				WHERE consented(@person, 'marketing', medium)) AS marketing
		FROM (SELECT) one
		LEFT JOIN LATERAL (
			SELECT a.id, a.name FROM client k JOIN associate a ON a.id = k.associate_id
			WHERE k.customer_id IN (`+customer.Members+`)
			ORDER BY k.customer_id = @person DESC LIMIT 1) a ON true
		LEFT JOIN figure f ON f.customer_id = @person
		LEFT JOIN prediction p ON p.customer_id = @person AND NOT consented(@person, 'objection', 'shop')`, pgx.NamedArgs{"person": person, "associate": associateID}).
		Query(func(rows pgx.Rows) (err error) {
			h.kept, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[kept])
			return err
		})
	err := db.SendBatch(ctx, batch).Close()
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read a history: %w", err)
	}
	h.withhold()
	return h, nil
}

// withhold takes away what they did not agree to show.
func (h *History) withhold() {
	h.Sees = profile.Agreed(h.Consents, customer.Clienteling, customer.InShop)
	if !h.Sees {
		h.Facts = slices.DeleteFunc(h.Facts, func(f profile.Fact) bool { return f.Kind == customer.Wished })
		h.NextOn, h.Foretold = nil, false
	}
	if profile.Agreed(h.Consents, customer.Objection, customer.InShop) {
		h.Departments = nil
	}
	if h.Part == "" { // Who looked is for whoever asks about staff.
		h.Facts = slices.DeleteFunc(h.Facts, func(f profile.Fact) bool { return f.Kind == customer.Opened })
	}
	if !h.Sees || !profile.Agreed(h.Consents, customer.Personalisation, customer.InShop) {
		h.Looked, h.Searched = nil, nil
	}
	if h.Part != "" && h.Part != OfViews {
		h.Looked, h.Searched = nil, nil
	}
	if h.Part != "" && h.Part != OfMessages {
		h.Messages = nil
	}
}
