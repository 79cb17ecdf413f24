package admin

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/order"
	"counterpart/internal/domain/origin"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/phone"
	"counterpart/internal/query/profile"
	"counterpart/internal/query/shop"
)

// OrderFilter narrows the list of orders; empty fields do not. Stores are the places that whoever asks may see, nil
// for all of them.
type OrderFilter struct {
	Words      string // a number, an email, a phone number, a SKU, or a part of a name
	State      string
	Payment    string
	Fulfilment string
	Channel    string
	Store      string // its code
	Returned   bool
	Late       bool   // something that was promised for a time that is over
	Held       bool   // it is on hold
	Due        bool   // something is promised for today
	Ends       bool   // a hold of something ready ends today
	Way        string // pickup or ship: how a part with the fulfilment is got
	Tag        string
	Min, Max   int64  // of its total, minor units; 0: any
	From, To   string // days, 2026-12-25, by the clocks of Zone
	Zone       string
	Stores     []int64
}

// OrderRow is an order in the list.
type OrderRow struct {
	ID           int64
	Number       int64
	PlacedAt     time.Time
	Name         string
	Email        string
	Channel      origin.Channel
	Store        string
	State        string
	PaymentState string
	Fulfilments  []string // the states of its parts
	Returned     bool
	Late         bool
	Held         bool
	Tags         []string
	Units        int
	Gone         int // of them, cancelled
	Refunded     int64
	Total        int64
	Currency     string
}

// FulfilmentStates in the order in which they are listed.
var FulfilmentStates = []string{"waiting", "to_pick", "ready", "undecided", "collected", "shipped", "carried_out", "cancelled"}

// late is a part whose promise is over, and that is neither staged nor sent.
const late = `o.id IN (SELECT f.order_id FROM fulfilment f WHERE f.state = 'to_pick' AND f.ready_by < now())`

// partly is the condition that an order has a part of a kind. Parts that are still open are few: they are looked up; the
// others are most, and each order is asked.
func partly(state, condition string) string {
	if slices.Contains([]string{"to_pick", "ready", "undecided", "waiting"}, state) {
		return `o.id IN (SELECT f.order_id FROM fulfilment f WHERE f.state IN ('waiting', 'undecided', 'to_pick', 'ready') AND ` +
			condition + `)`
	}
	return `EXISTS (SELECT FROM fulfilment f WHERE f.order_id = o.id AND ` + condition + `)`
}

// where is the statement's conditions: only those of fields that are set, so that each list can walk its own index.
func (f OrderFilter) where(ctx context.Context, db pg.DB) (c conditions, args pgx.NamedArgs, err error) {
	args = pgx.NamedArgs{"zone": f.Zone, "store": f.Store, "stores": f.Stores}
	if f.Stores != nil && f.Store != "" {
		c.add(`(o.location_id = ANY (@stores) OR EXISTS (SELECT FROM fulfilment f WHERE f.order_id = o.id
			AND f.location_id = ANY (@stores)))`)
	}
	for _, word := range []struct {
		column, value string
		known         []string
	}{{"o.state", f.State, OrderStates}, {"o.payment_state", f.Payment, PaymentStates},
		{"o.channel", f.Channel, channelNames()}} {
		if word.value != "" && slices.Contains(word.known, word.value) {
			c.add(word.column + " = '" + word.value + "'")
		}
	}
	if f.Fulfilment != "" || f.Way != "" {
		args["fulfilment"], args["way"] = f.Fulfilment, f.Way
		c.add(partly(f.Fulfilment, `(@fulfilment = '' OR f.state = @fulfilment) AND (@way = '' OR f.method = @way)`))
	}
	const today = ` AT TIME ZONE @zone)::date = (now() AT TIME ZONE @zone)::date`
	if f.Due {
		c.add(`o.id IN (SELECT f.order_id FROM fulfilment f WHERE f.state = 'to_pick' AND (f.ready_by` + today + `)`)
	}
	if f.Ends {
		c.add(`o.id IN (SELECT f.order_id FROM fulfilment f WHERE f.state = 'ready' AND (f.hold_until` + today + `)`)
	}
	if f.Returned {
		c.addBoth(`o.id IN (SELECT order_id FROM return_ticket)`,
			`EXISTS (SELECT FROM return_ticket r WHERE r.order_id = o.id)`)
	}
	if f.Late {
		c.add(late)
	}
	if f.Held {
		c.add(`o.held_at IS NOT NULL`)
	}
	if f.Tag != "" {
		args["tag"] = f.Tag
		c.add(`o.id IN (SELECT order_id FROM order_tag WHERE tag = @tag)`)
	}
	if f.Min > 0 {
		args["min"] = f.Min
		c.add(`o.total >= @min`)
	}
	if f.Max > 0 {
		args["max"] = f.Max
		c.add(`o.total <= @max`)
	}
	if f.From != "" {
		args["from"] = f.From
		c.add(`o.placed_at >= @from::date::timestamp AT TIME ZONE @zone`)
	}
	if f.To != "" {
		args["to"] = f.To
		c.add(`o.placed_at < (@to::date + 1)::timestamp AT TIME ZONE @zone`)
	}
	if words := strings.TrimSpace(f.Words); words != "" {
		err = f.search(ctx, db, words, &c, args)
	}
	return c, args, err
}

func channelNames() (names []string) {
	for _, c := range origin.All {
		names = append(names, string(c))
	}
	return names
}

// search is the condition of what was typed: of a number, an address or a phone number what is exactly that, else names
// that have the words, or lines of a SKU.
func (f OrderFilter) search(ctx context.Context, db pg.DB, words string, c *conditions, args pgx.NamedArgs) error {
	// Few have one number or address: an array is looked up by the key, whatever the planner thinks of the list.
	const of = `o.id = ANY (ARRAY(`
	if email, ok := customer.NormalEmail(words); ok {
		args["email"] = email
		c.add(of + `SELECT id FROM orders WHERE lower(email) = @email AND email <> ''))`)
		return nil
	}
	if number, err := strconv.ParseInt(strings.TrimPrefix(words, "#"), 10, 64); err == nil {
		args["number"], args["phone"] = number, ""
		country, err := location.CountryOf(ctx, db, f.Store)
		if err != nil {
			return err
		}
		if number, ok := phone.Read(words, country); ok {
			args["phone"] = number
		}
		c.add(of + `SELECT id FROM orders WHERE number = @number
			UNION SELECT id FROM orders WHERE phone = @phone AND phone <> ''))`)
		return nil
	}
	args["words"], args["sku"] = "%"+pg.Literal(words)+"%", strings.ToUpper(words)
	c.addBoth(`o.id IN (
			SELECT id FROM orders WHERE plain_name(name) LIKE plain_name(@words) AND name <> ''
			UNION
			SELECT l.order_id FROM variant v JOIN order_line l ON l.variant_id = v.id WHERE upper(v.sku) = @sku)`,
		`(plain_name(o.name) LIKE plain_name(@words) OR EXISTS (SELECT FROM order_line l JOIN variant v ON v.id = l.variant_id
			WHERE l.order_id = o.id AND upper(v.sku) = @sku))`)
	return nil
}

// from is what is read: all orders, or those of given places, which have the order or a part of it, each once and in the
// order of the list, from where the page begins.
func (f OrderFilter) from(walk, direction string) string {
	var places []string
	switch {
	case f.Store != "":
		places = []string{"(SELECT id FROM location WHERE code = @store)"}
	case f.Stores == nil:
		return "orders o"
	default:
		for _, place := range f.Stores {
			places = append(places, strconv.FormatInt(place, 10))
		}
	}
	if len(places) == 0 {
		places = []string{"0"} // which is none
	}
	var parts []string
	for _, place := range places {
		parts = append(parts, "(SELECT id FROM orders WHERE location_id = "+place+strings.ReplaceAll(walk, "o.id", "id")+
			" ORDER BY id "+direction+")", "(SELECT order_id FROM fulfilment WHERE location_id = "+place+
			strings.ReplaceAll(walk, "o.id", "order_id")+" ORDER BY order_id "+direction+")")
	}
	return "(SELECT DISTINCT ON (id) id FROM (" + strings.Join(parts, " UNION ALL ") + ") ids ORDER BY id " + direction +
		") here JOIN orders o ON o.id = here.id"
}

// Orders lists orders of every channel, the newest first, and how many there are, counted to CountUpTo.
func Orders(ctx context.Context, db pg.DB, f OrderFilter, page Page) (rows []OrderRow, total int, err error) {
	c, args, err := f.where(ctx, db)
	if err != nil {
		return nil, 0, err
	}
	found, total, err := matching(ctx, db, "o.id", f.from("", "DESC")+" WHERE "+all(c.find), args)
	if err != nil {
		return nil, 0, fmt.Errorf("find orders: %w", err)
	}
	if total == 0 {
		return nil, 0, nil
	}
	walk, direction := page.walk("o.id", "@edge", args)
	from, where := f.from(walk, direction), all(c.walk)
	if found != nil {
		from, where, args["found"] = "orders o", "o.id = ANY (@found)", found
	}
	err = pg.Ask(ctx, db, pg.All(&rows, `
		SELECT o.id, o.number, o.placed_at, o.name, o.email, o.channel, at.name AS store, o.state, o.payment_state,
			ARRAY(SELECT DISTINCT f.state FROM fulfilment f WHERE f.order_id = o.id ORDER BY 1) AS fulfilments,
			EXISTS (SELECT FROM return_ticket r WHERE r.order_id = o.id) AS returned, EXISTS (SELECT FROM fulfilment f
				WHERE f.order_id = o.id AND f.state = 'to_pick' AND f.ready_by < now()) AS late,
			o.held_at IS NOT NULL AS held, ARRAY(SELECT tag FROM order_tag t WHERE t.order_id = o.id ORDER BY tag) AS tags,
			(SELECT coalesce(sum(l.quantity), 0) FROM order_line l WHERE l.order_id = o.id)::int AS units,
			o.total, o.currency::text AS currency,
			(SELECT coalesce(sum(r.amount), 0) FROM tender t JOIN refund r ON r.tender_id = t.id
				WHERE t.order_id = o.id AND r.state <> 'failed')::bigint AS refunded,
			(SELECT count(*) FROM order_line l JOIN order_unit u ON u.order_line_id = l.id
				WHERE l.order_id = o.id AND u.state = 'cancelled')::int AS gone
		FROM (
			SELECT o.*
			FROM `+from+`
			WHERE `+where+walk+`
			ORDER BY o.id `+direction+`
			`+page.limit()+`) o
		JOIN location at ON at.id = o.location_id
		ORDER BY o.id DESC`, args))
	if err != nil {
		return nil, 0, fmt.Errorf("list orders: %w", err)
	}
	return rows, total, nil
}

// OrderStates and PaymentStates that a filter can ask for.
var (
	OrderStates   = []string{"placed", "confirmed", "cancelled"}
	PaymentStates = []string{order.Due, order.Pending, order.Authorised, order.Paid, order.Void}
)

// OrderPage is an order with what happened to it.
type OrderPage struct {
	*shop.Order
	Facts      []profile.Fact
	Home       string // the location whose order it is
	Mails      []SentMail
	Allowances []Allowance
	Notes      []OrderNote
	Acts       []Act
	Tags       []string
	Terms      *Terms // that it was placed under; nil: the shop had none
	Parcels    []Parcel
	Carriers   []Carrier
	Places     []location.Location // to which something could be moved
}

// SentMail is a mail about an order that was posted.
type SentMail struct {
	Kind   string
	SentAt time.Time
}

// OrderNote is what staff wrote down about an order.
type OrderNote struct {
	Body string
	By   string
	At   time.Time
}

// Act is what staff changed of an order, from the audit trail.
type Act struct {
	Action string
	Reason string
	By     string
	At     time.Time
}

// Parcel of a fulfilment beyond its first.
type Parcel struct {
	ID           int64
	FulfilmentID int64
	Carrier      string
	Tracking     string
}

// Carrier is where its parcels are followed: an address with {number} in it.
type Carrier struct {
	Name     string
	Tracking string
}

// TrackingURL is where a parcel can be followed; empty where its carrier has no such page.
func TrackingURL(carriers []Carrier, carrier, tracking string) string {
	for _, c := range carriers {
		if strings.EqualFold(c.Name, carrier) && tracking != "" {
			return strings.ReplaceAll(c.Tracking, "{number}", url.QueryEscape(tracking))
		}
	}
	return ""
}

// Allowance is a part of the price that went back without a return.
type Allowance struct {
	Amount int64
	At     time.Time
	By     string
}

// Terms are a version of the shop's, by its address.
type Terms struct {
	Slug  string
	ID    int64
	Title string
}

// Order reads an order by its id. Nil where there is none, or where it is of none of the places that whoever asks may
// see; nil places are all.
func Order(ctx context.Context, db pg.DB, id int64, stores []int64) (*OrderPage, error) {
	o, err := shop.OrderByID(ctx, db, id)
	if err != nil || o == nil {
		return nil, err
	}
	ours := stores == nil || slices.Contains(stores, o.HomeID)
	for _, f := range o.Parts {
		ours = ours || slices.Contains(stores, f.LocationID)
	}
	if !ours {
		return nil, nil
	}
	p := &OrderPage{Order: o}
	err = pg.Ask(ctx, db,
		func(batch *pgx.Batch) { profile.QueueOrderFacts(batch, o.CustomerID, o.ID, &p.Facts) },
		pg.All(&p.Mails, `SELECT kind, sent_at FROM message WHERE order_id = $1 ORDER BY sent_at`, id),
		pg.All(&p.Notes, `
			SELECT n.body, a.name AS by, n.created_at AS at
			FROM order_note n
			JOIN associate a ON a.id = n.associate_id
			WHERE n.order_id = $1
			ORDER BY n.id DESC`, id),
		pg.All(&p.Acts, `
			SELECT e.action, e.reason, coalesce(a.name, '') AS by, e.at
			FROM audit_entry e
			LEFT JOIN associate a ON a.id = e.associate_id
			WHERE e.subject = 'order' AND e.subject_id = $1
			ORDER BY e.id DESC
			LIMIT 100`, id),
		pg.All(&p.Allowances, `
			SELECT g.amount, g.at, a.name AS by
			FROM allowance g
			JOIN associate a ON a.id = g.associate_id
			WHERE g.order_id = $1
			ORDER BY g.id`, id),
		pg.Value(&p.Tags, `SELECT ARRAY(SELECT tag FROM order_tag WHERE order_id = $1 ORDER BY tag)`, id),
		pg.One(&p.Terms, `
			SELECT p.slug, v.id, v.title
			FROM orders o
			JOIN page_version v ON v.id = o.terms_id
			JOIN page p ON p.id = v.page_id
			WHERE o.id = $1`, id),
		pg.All(&p.Parcels, `
			SELECT p.id, p.fulfilment_id, p.carrier, p.tracking
			FROM parcel p
			JOIN fulfilment f ON f.id = p.fulfilment_id
			WHERE f.order_id = $1
			ORDER BY p.id`, id),
		pg.All(&p.Carriers, `SELECT name, tracking FROM carrier ORDER BY name`),
		pg.All(&p.Places, `
			SELECT `+location.Columns+`
			FROM location l
			JOIN location home ON home.id = $1
			WHERE l.closed_at IS NULL AND (l.currency, l.country, l.region) = (home.currency, home.country, home.region)
				AND (l.pickup OR l.ship)
			ORDER BY l.kind, l.name`, o.HomeID),
		pg.Value(&p.Home, `SELECT name FROM location WHERE id = $1`, o.HomeID))
	if err != nil {
		return nil, fmt.Errorf("read what happened with an order: %w", err)
	}
	return p, nil
}
