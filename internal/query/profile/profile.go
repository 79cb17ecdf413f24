// Package profile reads what is known about a person, over all the profiles they are made of. Whoever shows it says to
// whom: the shopper sees everything, staff what their role and the person's consent allow.
package profile

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/catalog"
	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/inventory"
	"counterpart/internal/domain/loyalty"
	"counterpart/internal/domain/order"
	"counterpart/internal/domain/origin"
	"counterpart/internal/platform/pg"
)

// Person is who somebody is, and how they are recognised.
type Person struct {
	ID           int64
	Name         string
	Language     string
	Since        time.Time
	RegisteredAt *time.Time
	DisabledAt   *time.Time
	ErasedAt     *time.Time
	LocationID   int64 // the store they call theirs
	Store        string
	Channel      origin.Channel // through which they came
	Password     bool
	Identities   []Identity
	Tags         []string
	Members      int // profiles that became part of this one
	Tier         string
	Points       loyalty.Balance `db:"-"`
}

// Identity is one way to recognise them. A device is shown by the day it came, never by its value.
type Identity struct {
	ID         int64          `json:"id"`
	Kind       string         `json:"kind"`
	Value      string         `json:"value"`
	Source     origin.Channel `json:"source"`
	VerifiedAt *time.Time     `json:"verified_at"`
	CreatedAt  time.Time      `json:"created_at"`
	Name       string         `json:"name"` // of a passkey
	UsedAt     *time.Time     `json:"used_at"`
}

// Of gives the identities of a kind, proven ones first.
func (p *Person) Of(kind string) (all []Identity) {
	for _, verified := range []bool{true, false} {
		for _, i := range p.Identities {
			if i.Kind == kind && (i.VerifiedAt != nil) == verified {
				all = append(all, i)
			}
		}
	}
	return all
}

// First is the value of the first identity of a kind, or "".
func (p *Person) First(kind string) string {
	for _, i := range p.Of(kind) {
		return i.Value
	}
	return ""
}

// Proven is the first proven value of a kind, or "".
func (p *Person) Proven(kind string) string {
	for _, i := range p.Of(kind) {
		if i.VerifiedAt != nil {
			return i.Value
		}
	}
	return ""
}

// ErrNobody is what reading somebody answers who is not there.
var ErrNobody = errors.New("no such person")

// Queue asks for a person in a batch; its sending fails with pgx.ErrNoRows where there is none, or where they are part
// of another.
func Queue(batch *pgx.Batch, person int64, p *Person) {
	batch.Queue(`
		SELECT c.id, c.name, c.language, c.created_at AS since, c.registered_at, c.disabled_at, c.erased_at,
			coalesce(c.location_id, 0) AS location_id, coalesce(l.name, '') AS store, c.channel,
			EXISTS (SELECT FROM password WHERE customer_id IN (`+customer.Members+`)) AS password,
			(SELECT coalesce(jsonb_agg(jsonb_build_object('id', i.id, 'kind', i.kind, 'value', i.value, 'source',
				i.source, 'verified_at', i.verified_at, 'created_at', i.created_at,
				'name', coalesce(k.name, ''), 'used_at', k.used_at) ORDER BY i.id), '[]')
			FROM identity i
			LEFT JOIN passkey k ON k.identity_id = i.id
			WHERE i.customer_id IN (`+customer.Members+`)) AS identities,
			ARRAY(SELECT DISTINCT tag FROM customer_tag WHERE customer_id IN (`+customer.Members+`)
				ORDER BY tag) AS tags,
			(SELECT count(*) FROM customer WHERE merged_into = @person)::int AS members,
			c.tier, points.spendable, points.pending, points.ending, points.ends_on
		FROM customer c
		CROSS JOIN LATERAL points_of(ARRAY(`+customer.Members+`)) points
		LEFT JOIN location l ON l.id = c.location_id
		WHERE c.id = @person AND c.merged_into IS NULL`,
		pgx.NamedArgs{"person": person}).Query(func(rows pgx.Rows) error {
		row, err := pg.Row[struct {
			Person
			loyalty.Balance
		}](rows, nil)
		if err != nil {
			return err
		}
		if row == nil {
			return pgx.ErrNoRows
		}
		*p, p.Points = row.Person, row.Balance
		return nil
	})
}

// Load reads a person alone. ErrNobody where there is none.
func Load(ctx context.Context, db pg.DB, person int64) (*Person, error) {
	var p Person
	batch := &pgx.Batch{}
	Queue(batch, person, &p)
	err := db.SendBatch(ctx, batch).Close()
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, ErrNobody
	}
	if err != nil {
		return nil, fmt.Errorf("read a person: %w", err)
	}
	return &p, nil
}

// Order is one of their purchases, in any channel and store.
type Order struct {
	ID           int64
	Number       int64
	PublicID     string
	Channel      origin.Channel
	Store        string
	LocationID   int64
	FulfilmentID int64
	Method       string
	State        string
	Place        string
	HoldUntil    *time.Time
	ReadyBy      *time.Time
	Currency     string
	Total        int64
	PlacedAt     time.Time
	Pieces       int
	What         string
}

// Waiting says whether it is still to be collected.
func (o Order) Waiting() bool {
	return o.Method == "pickup" && (o.State == "to_pick" || o.State == "ready")
}

// QueueOrders asks for a person's latest orders, each with the part that is still open, or else the first.
func QueueOrders(batch *pgx.Batch, person int64, most int, orders *[]Order) {
	batch.Queue(`
		SELECT o.id, o.number, o.public_id, o.channel, l.name, l.id, f.id, f.method, f.state, f.place, f.hold_until,
			f.ready_by, o.currency::text, CASE WHEN o.state = 'confirmed' THEN `+order.AmountKept+` ELSE o.total END,
			o.placed_at, line.pieces, line.what
		FROM orders o
		JOIN LATERAL (
			SELECT *
			FROM fulfilment
			WHERE order_id = o.id
			ORDER BY state IN ('to_pick', 'ready') DESC, id
			LIMIT 1) f ON true
		JOIN location l ON l.id = f.location_id
		CROSS JOIN LATERAL (
			SELECT sum(quantity)::int AS pieces, string_agg(concat_ws(', ', title, nullif(options, '')), ' · '
				ORDER BY position) AS what
			FROM order_line
			WHERE order_id = o.id) line
		WHERE o.customer_id IN (`+customer.Members+`)
		ORDER BY o.id DESC
		LIMIT @most`, pgx.NamedArgs{"person": person, "most": most}).Query(collect(orders))
}

// LifetimeValue is what somebody bought in one currency, without what was cancelled or came back. An order of which
// nothing stayed is not counted.
type LifetimeValue struct {
	Currency string
	Spent    int64
	Orders   int
	Last     time.Time
}

// QueueLifetimeValue asks for what a person bought.
func QueueLifetimeValue(batch *pgx.Batch, person int64, worth *[]LifetimeValue) {
	batch.Queue(`
		SELECT currency::text, sum(`+order.AmountKept+`)::bigint, count(*)::int, max(placed_at)
		FROM orders o
		WHERE customer_id IN (`+customer.Members+`) AND state = 'confirmed' AND `+order.AnyKept+`
		GROUP BY currency
		ORDER BY 3 DESC`, pgx.NamedArgs{"person": person}).Query(collect(worth))
}

// QueueNoShows asks how many of a person's collections were held to the end and given up.
func QueueNoShows(batch *pgx.Batch, person int64, n *int) {
	batch.Queue(`
		SELECT count(*)
		FROM orders o
		JOIN fulfilment f ON f.order_id = o.id AND f.expired_at IS NOT NULL
		WHERE o.customer_id IN (`+customer.Members+`)`,
		pgx.NamedArgs{"person": person}).QueryRow(func(row pgx.Row) error { return row.Scan(n) })
}

// ViewedProduct is a variant on a list, or a product that was looked at, as it is now at a store.
type ViewedProduct struct {
	VariantID int64
	ProductID int64
	Slug      string
	SKU       string
	Title     string
	Choice    string
	Picture   string
	Price     int64 // minor units of the store's currency; 0: not sold there
	Available int   // at the store
	Gone      bool
	At        time.Time
	Quantity  int
}

// QueueWishes asks for what is on one of a person's lists, with price and stock at a store.
func QueueWishes(batch *pgx.Batch, person, locationID int64, list string, things *[]ViewedProduct) {
	batch.Queue(`
		SELECT v.id, p.id, p.slug, v.sku, t.title, array_to_string(v.options, ', '), coalesce(pic.key, ''),
			coalesce(price.amount, 0),
			greatest(coalesce(`+inventory.Available("s")+`, 0), 0), NOT (v.active AND p.status = 'active'),
				w.added_at, w.quantity
		FROM wish w
		JOIN variant v ON v.id = w.variant_id
		JOIN product p ON p.id = v.product_id
		JOIN product_text t ON t.product_id = p.id AND t.language = 'en'
		JOIN location here ON here.id = @location
		JOIN price_list list ON list.currency = here.currency AND list.tax_included = here.tax_included`+catalog.NowOn+`
		LEFT JOIN stock_level s ON s.variant_id = v.id AND s.location_id = here.id AND s.condition = 'sellable'
		LEFT JOIN picture pic ON pic.id = coalesce(v.picture_id, (SELECT id FROM picture WHERE product_id = p.id
			ORDER BY position LIMIT 1))
		WHERE w.customer_id = @person AND w.list = @list
		ORDER BY w.id DESC
		LIMIT 200`, pgx.NamedArgs{"person": person, "location": locationID, "list": list}).Query(collect(things))
}

// QueueViewed asks for the products a person looked at last, each once. Whoever shows it to somebody else asks for
// consent first.
func QueueViewed(batch *pgx.Batch, person, locationID int64, things *[]ViewedProduct) {
	batch.Queue(`
		SELECT v.id, p.id, p.slug, v.sku, t.title, '', coalesce(pic.key, ''), coalesce(price.amount, 0), 0,
			NOT (v.active AND p.status = 'active'), seen.at, 1
		FROM (
			SELECT product_id, max(at) AS at
			FROM (
				SELECT e.product_id, e.at
				FROM identity i
				JOIN browse_event e ON e.device = i.value
				WHERE i.kind = 'device' AND i.customer_id IN (`+customer.Members+`) AND e.kind = 'viewed'
				ORDER BY e.at DESC
				LIMIT 200) latest
			GROUP BY product_id
			ORDER BY 2 DESC
			LIMIT 12) seen
		JOIN product p ON p.id = seen.product_id AND p.status = 'active'
		JOIN product_text t ON t.product_id = p.id AND t.language = 'en'
		JOIN LATERAL (SELECT * FROM variant WHERE product_id = p.id AND active ORDER BY position LIMIT 1) v ON true
		JOIN location here ON here.id = @location
		JOIN price_list list ON list.currency = here.currency AND list.tax_included = here.tax_included`+catalog.NowOn+`
		LEFT JOIN picture pic ON pic.id = (SELECT id FROM picture WHERE product_id = p.id ORDER BY position LIMIT 1)
		ORDER BY seen.at DESC`, pgx.NamedArgs{"person": person, "location": locationID}).Query(collect(things))
}

// Searched is what somebody searched for.
type Searched struct {
	Words string
	At    time.Time
}

// QueueSearched asks for the words a person searched for last.
func QueueSearched(batch *pgx.Batch, person int64, words *[]Searched) {
	batch.Queue(`
		SELECT e.words, max(e.at)
		FROM identity i
		JOIN browse_event e ON e.device = i.value
		WHERE i.kind = 'device' AND i.customer_id IN (`+customer.Members+`) AND e.kind = 'searched'
		GROUP BY e.words
		ORDER BY 2 DESC
		LIMIT 8`, pgx.NamedArgs{"person": person}).Query(collect(words))
}

// Size is what somebody says they wear or like, or what their purchases say.
type Size struct {
	Name, Value string
	Stated      bool
	Times       int // bought, where it is not stated
}

// QueueSizes asks for both, told apart: what was stated, and the sizes that were bought most in each department.
func QueueSizes(batch *pgx.Batch, person int64, sizes *[]Size) {
	batch.Queue(`
		(SELECT DISTINCT ON (name) name, value, true, 0
		FROM preference
		WHERE customer_id IN (`+customer.Members+`)
		ORDER BY name, at DESC)
		UNION ALL
		(SELECT name, value, false, times
		FROM (
			SELECT coalesce(department.name, '') AS name, v.options[o.i] AS value, count(*)::int AS times,
				row_number() OVER (PARTITION BY department.name ORDER BY count(*) DESC, v.options[o.i]) AS place
			FROM orders
			JOIN order_line line ON line.order_id = orders.id
			JOIN variant v ON v.id = line.variant_id
			JOIN product p ON p.id = v.product_id
			CROSS JOIN LATERAL generate_subscripts(p.options, 1) AS o (i)
			LEFT JOIN LATERAL (
				SELECT t.name
				FROM product_category pc
				JOIN category_text t ON t.category_id = pc.category_id AND t.language = 'en'
				WHERE pc.product_id = p.id
				ORDER BY pc.category_id DESC
				LIMIT 1) department ON true
			WHERE orders.customer_id IN (`+customer.Members+`) AND orders.state <> 'cancelled'
				AND p.options[o.i] ILIKE '%size%'
			GROUP BY department.name, v.options[o.i]) bought
		WHERE place = 1
		ORDER BY times DESC, name
		LIMIT 6)`, pgx.NamedArgs{"person": person}).Query(collect(sizes))
}

// Fact is an entry of the timeline, with what it names in words.
type Fact struct {
	Kind      string
	Channel   origin.Channel
	Store     string
	Number    int64 // of an order
	PublicID  string
	Title     string // of a variant
	Slug      string
	Quantity  int
	Associate string
	Detail    string
	At        time.Time
}

// QueueTimeline asks for a person's latest facts.
func QueueTimeline(batch *pgx.Batch, person int64, most int, facts *[]Fact) {
	QueueFacts(batch, person, nil, most, facts)
}

// QueueFacts asks for those of some kinds; none named: of all.
func QueueFacts(batch *pgx.Batch, person int64, kinds []string, most int, facts *[]Fact) {
	batch.Queue(`
		SELECT f.kind, f.channel, coalesce(l.name, ''), coalesce(o.number, 0), coalesce(o.public_id, ''),
			coalesce(t.title, ''), coalesce(p.slug, ''), coalesce(f.quantity, 0),
			coalesce(a.name, ''), f.detail, f.at
		FROM (
			SELECT *
			FROM timeline
			WHERE customer_id IN (`+customer.Members+`) AND (@kinds::text[] IS NULL OR kind = ANY (@kinds))
			ORDER BY id DESC
			LIMIT @most) f
		LEFT JOIN location l ON l.id = f.location_id
		LEFT JOIN orders o ON o.id = f.order_id
		LEFT JOIN variant v ON v.id = f.variant_id
		LEFT JOIN product p ON p.id = v.product_id
		LEFT JOIN product_text t ON t.product_id = p.id AND t.language = 'en'
		LEFT JOIN associate a ON a.id = f.associate_id
		ORDER BY f.id DESC`, pgx.NamedArgs{"person": person, "most": most, "kinds": kinds}).Query(collect(facts))
}

// QueueOrderFacts asks for what happened to an order of a customer, the newest first.
func QueueOrderFacts(batch *pgx.Batch, customerID, orderID int64, facts *[]Fact) {
	batch.Queue(`
		SELECT f.kind, f.channel, coalesce(l.name, ''), coalesce(o.number, 0), coalesce(o.public_id, ''), '', '',
			coalesce(f.quantity, 0), coalesce(a.name, ''), f.detail, f.at
		FROM timeline f
		LEFT JOIN location l ON l.id = f.location_id
		LEFT JOIN orders o ON o.id = f.order_id
		LEFT JOIN associate a ON a.id = f.associate_id
		WHERE f.customer_id IN (`+customer.Members+`) AND f.order_id = @order
		ORDER BY f.id DESC
		LIMIT 200`, pgx.NamedArgs{"person": customerID, "order": orderID}).Query(collect(facts))
}

// PossibleDuplicate is somebody who may be the same person: they share an email or a phone number that one of them has
// not proven. Of an address that many gave, the proven owner and the latest are looked at.
type PossibleDuplicate struct {
	ID    int64
	Name  string
	Kind  string // of what they share
	Value string
	Mine  bool // proven here
	// whoever has what is shared may join them: where a side has an account or has proven anything, it has proven this
	Enough bool
	Since  time.Time
	Orders int
}

// QueuePossibleDuplicates asks for those.
func QueuePossibleDuplicates(batch *pgx.Batch, person int64, perhaps *[]PossibleDuplicate) {
	batch.Queue(`
		SELECT other.id, other.name, shared.kind, shared.value, shared.mine,
			(shared.mine OR NOT EXISTS (
				SELECT FROM customer c JOIN identity i ON i.customer_id = c.id
				WHERE c.id IN (`+customer.Members+`) AND (c.registered_at IS NOT NULL OR i.kind IN ('email', 'phone',
					'passkey') AND i.verified_at IS NOT NULL)))
			AND (shared.theirs OR NOT EXISTS (
				SELECT FROM customer c JOIN identity i ON i.customer_id = c.id
				WHERE (c.id = shared.id OR c.merged_into = shared.id) AND (c.registered_at IS NOT NULL
					OR i.kind IN ('email', 'phone', 'passkey') AND i.verified_at IS NOT NULL))),
			other.created_at,
			(SELECT count(*) FROM orders WHERE customer_id = other.id)::int
		FROM (
			SELECT DISTINCT ON (coalesce(c.merged_into, c.id)) coalesce(c.merged_into, c.id) AS id, mine.kind,
				mine.value, mine.verified_at IS NOT NULL AS mine, theirs.verified_at IS NOT NULL AS theirs
			FROM identity mine
			CROSS JOIN LATERAL (
				SELECT customer_id, verified_at
				FROM identity
				WHERE value = mine.value AND kind = mine.kind
				ORDER BY verified_at IS NULL, id DESC
				LIMIT 20) theirs
			JOIN customer c ON c.id = theirs.customer_id AND c.erased_at IS NULL
			WHERE mine.customer_id IN (`+customer.Members+`) AND mine.kind IN ('email', 'phone')
				AND coalesce(c.merged_into, c.id) <> @person
			ORDER BY coalesce(c.merged_into, c.id), mine.kind
			LIMIT 10) shared
		JOIN customer other ON other.id = shared.id`, pgx.NamedArgs{"person": person}).Query(collect(perhaps))
}

// Consent is somebody's last word on a choice, with who took it down.
type Consent struct {
	Purpose, Medium string
	Given           bool
	Wording         int
	Source          origin.Channel
	At              time.Time
}

// QueueConsents asks for a person's last words.
func QueueConsents(batch *pgx.Batch, person int64, consents *[]Consent) {
	batch.Queue(`
		SELECT DISTINCT ON (purpose, medium) purpose, medium, given, wording, source, at
		FROM consent
		WHERE customer_id IN (`+customer.Members+`)
		ORDER BY purpose, medium, id DESC`, pgx.NamedArgs{"person": person}).Query(collect(consents))
}

// Agreed says whether one of the consents is given.
func Agreed(consents []Consent, purpose, medium string) bool {
	for _, c := range consents {
		if c.Purpose == purpose && c.Medium == medium {
			return c.Given
		}
	}
	return false
}

// QueueNotes asks for the open notes about a person, alerts first.
func QueueNotes(batch *pgx.Batch, person int64, notes *[]customer.Note) {
	batch.Queue(`
		SELECT n.id, n.kind, n.body, coalesce(n.associate_id, 0), coalesce(a.name, ''), coalesce(l.name, ''), n.at
		FROM note n
		LEFT JOIN associate a ON a.id = n.associate_id
		LEFT JOIN location l ON l.id = n.location_id
		WHERE n.customer_id IN (`+customer.Members+`) AND n.closed_at IS NULL
		ORDER BY n.kind = 'alert' DESC, n.id DESC
		LIMIT 50`, pgx.NamedArgs{"person": person}).Query(collect(notes))
}

// SignedInSession is somebody being signed in somewhere.
type SignedInSession struct {
	Agent     string
	Method    string
	CreatedAt time.Time
	SeenAt    time.Time
	This      bool
}

// QueueSignedInSessions asks where a person is signed in; digest is the session that asks.
func QueueSignedInSessions(batch *pgx.Batch, person int64, digest []byte, sittings *[]SignedInSession) {
	batch.Queue(`
		SELECT agent, method, created_at, seen_at, coalesce(token_hash = @digest, false)
		FROM session
		WHERE customer_id IN (`+customer.Members+`) AND expires_at > now()
		ORDER BY seen_at DESC
		LIMIT 20`, pgx.NamedArgs{"person": person, "digest": digest}).Query(collect(sittings))
}

// QueueAddresses asks for a person's address book.
func QueueAddresses(batch *pgx.Batch, person int64, addresses *[]customer.Address) {
	batch.Queue(`
		SELECT id, name, lines, town, region, postcode, country::text, phone
		FROM address
		WHERE customer_id = @person
		ORDER BY id`, pgx.NamedArgs{"person": person}).Query(collect(addresses))
}

func collect[T any](into *[]T) func(pgx.Rows) error {
	return func(rows pgx.Rows) (err error) {
		*into, err = pgx.CollectRows(rows, pgx.RowToStructByPos[T])
		return err
	}
}
