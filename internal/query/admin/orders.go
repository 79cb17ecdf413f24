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
func (f OrderFilter) where(ctx context.Context, db pg.DB) (sql string, args pgx.NamedArgs, err error) {
	all := []string{"true"}
	args = pgx.NamedArgs{"zone": f.Zone}
	add := func(condition, name string, value any) {
		all = append(all, condition)
		if name != "" {
			args[name] = value
		}
	}
	if f.Stores != nil {
		add(`(o.location_id = ANY (@stores) OR EXISTS (SELECT FROM fulfilment f WHERE f.order_id = o.id
			AND f.location_id = ANY (@stores)))`, "stores", f.Stores)
	}
	if f.State != "" {
		add(`o.state = @state`, "state", f.State)
	}
	if f.Payment != "" {
		add(`o.payment_state = @payment`, "payment", f.Payment)
	}
	if f.Channel != "" {
		add(`o.channel = @channel`, "channel", f.Channel)
	}
	if f.Store != "" {
		add(`(o.location_id = (SELECT id FROM location WHERE code = @store) OR EXISTS (SELECT FROM fulfilment f
			JOIN location at ON at.id = f.location_id WHERE f.order_id = o.id AND at.code = @store))`, "store", f.Store)
	}
	if f.Fulfilment != "" || f.Way != "" {
		args["fulfilment"], args["way"] = f.Fulfilment, f.Way
		add(partly(f.Fulfilment, `(@fulfilment = '' OR f.state = @fulfilment) AND (@way = '' OR f.method = @way)`), "", nil)
	}
	const today = ` AT TIME ZONE @zone)::date = (now() AT TIME ZONE @zone)::date`
	if f.Due {
		add(`o.id IN (SELECT f.order_id FROM fulfilment f WHERE f.state = 'to_pick' AND (f.ready_by`+today+`)`, "", nil)
	}
	if f.Ends {
		add(`o.id IN (SELECT f.order_id FROM fulfilment f WHERE f.state = 'ready' AND (f.hold_until`+today+`)`, "", nil)
	}
	if f.Returned {
		add(`EXISTS (SELECT FROM return_ticket r WHERE r.order_id = o.id)`, "", nil)
	}
	if f.Late {
		add(late, "", nil)
	}
	if f.Held {
		add(`o.held_at IS NOT NULL`, "", nil)
	}
	if f.Tag != "" {
		add(`o.id IN (SELECT order_id FROM order_tag WHERE tag = @tag)`, "tag", f.Tag)
	}
	if f.Min > 0 {
		add(`o.total >= @min`, "min", f.Min)
	}
	if f.Max > 0 {
		add(`o.total <= @max`, "max", f.Max)
	}
	if f.From != "" {
		add(`o.placed_at >= @from::date::timestamp AT TIME ZONE @zone`, "from", f.From)
	}
	if f.To != "" {
		add(`o.placed_at < (@to::date + 1)::timestamp AT TIME ZONE @zone`, "to", f.To)
	}
	if words := strings.TrimSpace(f.Words); words != "" {
		found, err := f.find(ctx, db, words, args)
		if err != nil {
			return "", nil, err
		}
		all = append(all, found)
	}
	return strings.Join(all, "\n\t\t\tAND "), args, nil
}

// find is the condition of a search: of a number, an address or a phone number what is exactly that, else names that
// have the words, or lines of a SKU.
func (f OrderFilter) find(ctx context.Context, db pg.DB, words string, args pgx.NamedArgs) (string, error) {
	if email, ok := customer.NormalEmail(words); ok {
		args["email"] = email
		return `lower(o.email) = @email AND o.email <> ''`, nil
	}
	if number, err := strconv.ParseInt(strings.TrimPrefix(words, "#"), 10, 64); err == nil {
		args["number"] = number
		country, err := location.CountryOf(ctx, db, f.Store)
		if err != nil {
			return "", err
		}
		if number, ok := phone.Read(words, country); ok {
			args["phone"] = number
			return `(o.number = @number OR o.phone = @phone)`, nil
		}
		return `o.number = @number`, nil
	}
	args["words"], args["sku"] = "%"+pg.Literal(words)+"%", strings.ToUpper(words)
	return `(plain_name(o.name) LIKE plain_name(@words) OR EXISTS (SELECT FROM order_line l WHERE l.order_id = o.id
			AND upper(l.sku) = @sku))`, nil
}

// Orders lists orders of every channel, the newest first, and how many there are, counted to CountUpTo.
func Orders(ctx context.Context, db pg.DB, f OrderFilter, page Page) (rows []OrderRow, total int, err error) {
	where, args, err := f.where(ctx, db)
	if err != nil {
		return nil, 0, err
	}
	args["upto"] = CountUpTo
	walk, direction := page.walk("o.id", "@edge", args)
	batch := &pgx.Batch{}
	batch.Queue(`SELECT count(*) FROM (SELECT FROM orders o WHERE `+where+` LIMIT @upto) counted`, args).
		QueryRow(func(row pgx.Row) error { return row.Scan(&total) })
	batch.Queue(`
		SELECT o.id, o.number, o.placed_at, o.name, o.email, o.channel, at.name AS store, o.state, o.payment_state,
			ARRAY(SELECT DISTINCT f.state FROM fulfilment f WHERE f.order_id = o.id ORDER BY 1) AS fulfilments,
			EXISTS (SELECT FROM return_ticket r WHERE r.order_id = o.id) AS returned, `+late+` AS late,
			o.held_at IS NOT NULL AS held, ARRAY(SELECT tag FROM order_tag t WHERE t.order_id = o.id ORDER BY tag) AS tags,
			(SELECT coalesce(sum(l.quantity), 0) FROM order_line l WHERE l.order_id = o.id)::int AS units,
			o.total, o.currency::text AS currency,
			(SELECT coalesce(sum(r.amount), 0) FROM tender t JOIN refund r ON r.tender_id = t.id
				WHERE t.order_id = o.id AND r.state <> 'failed')::bigint AS refunded,
			(SELECT count(*) FROM order_line l JOIN order_unit u ON u.order_line_id = l.id
				WHERE l.order_id = o.id AND u.state = 'cancelled')::int AS gone
		FROM (
			SELECT o.*
			FROM orders o
			WHERE `+where+walk+`
			ORDER BY o.id `+direction+`
			LIMIT @most) o
		JOIN location at ON at.id = o.location_id
		ORDER BY o.id DESC`, args).Query(func(found pgx.Rows) (err error) {
		rows, err = pgx.CollectRows(found, pgx.RowToStructByName[OrderRow])
		return err
	})
	if err := db.SendBatch(ctx, batch).Close(); err != nil {
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
	Facts    []profile.Fact
	Mails    []SentMail
	Notes    []OrderNote
	Acts     []Act
	Tags     []string
	Terms    *Terms // that it was placed under; nil: the shop had none
	Parcels  []Parcel
	Carriers []Carrier
	Places   []location.Location // to which something could be moved
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
	ours := stores == nil || slices.Contains(stores, o.Store.ID)
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
			ORDER BY l.kind, l.name`, o.Store.ID))
	if err != nil {
		return nil, fmt.Errorf("read what happened with an order: %w", err)
	}
	return p, nil
}
