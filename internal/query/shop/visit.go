// Package shop reads what a shopper's page shows: who is looking, what there is, what it costs and which store has it.
package shop

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/editorial"
	"counterpart/internal/domain/hint"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/order"
	"counterpart/internal/domain/quote"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/secret"
	"counterpart/internal/query/advice"
	"counterpart/internal/query/reference"
)

// Visitor is what a browser brings along: the cookies of its device and of somebody's session, and the code of the
// store it chose. All may be empty.
type Visitor struct {
	Device    string
	Session   string
	StoreCode string
	Language  string
	At        time.Time
	Reference *reference.Keeper // nil: it is read anew for every page
	reference *reference.Data   // what this page is read with
	Taste     bool              // read what suggestions go by, too
}

// Visit is what every shop page knows. Store is the chosen one, or the chain's first, whose prices are then shown.
type Visit struct {
	Shop        string
	Demo        bool
	Store       location.Location
	Chosen      bool
	CustomerID  int64 // the person; 0: a stranger
	SignedIn    bool
	Name        string // of whoever is signed in
	Remember    bool   // they agreed that we remember what they look at
	Units       int
	InCart      []int64 // products
	Departments []Department
	Pages       []editorial.Page // that the retailer wrote
	Theme       location.Theme   // how the shop looks
	At          time.Time
	facts       facts
	taste       taste
	reference   *reference.Data
}

// Reference is what the page was read with.
func (v *Visit) Reference() *reference.Data { return v.reference }

// Department is a category at the top.
type Department struct {
	Slug string `json:"slug"`
	Name string `json:"name"`
}

// Money is an amount in the visit's currency.
func (v *Visit) Money(minor int64) money.Money { return money.New(minor, v.Store.Currency) }

// home is the chosen store or the chain's first, and its price list; 0 where there is none.
func (v Visitor) home() (id, list int64) {
	if home, _ := v.reference.Home(v.StoreCode); home != nil {
		id = home.ID
	}
	return id, v.reference.PriceLists[id]
}

// Currency is that of the chosen store, or of the chain's first; empty where there is none.
func (v Visitor) Currency(ctx context.Context) string {
	if v.Reference != nil {
		if data := v.Reference.Peek(ctx); data != nil {
			if home, _ := data.Home(v.StoreCode); home != nil {
				return home.Currency
			}
		}
	}
	return ""
}

// zone is that of the store whose clocks the page goes by.
func (v Visitor) zone() string {
	if home, _ := v.reference.Home(v.StoreCode); home != nil {
		return home.TimeZone
	}
	return "UTC"
}

// with says what of the visit the process knows already.
func (v *Visit) with(who Visitor) bool {
	home, chosen := who.reference.Home(who.StoreCode)
	if who.reference.Shop == nil || home == nil {
		return false
	}
	v.Shop, v.Demo, v.Store, v.Chosen, v.At = who.reference.Shop.Name, who.reference.Shop.Demo, *home, chosen, who.At
	v.Pages, v.Theme, v.reference = who.reference.Pages, who.reference.Theme, who.reference
	for _, d := range who.reference.Departments {
		v.Departments = append(v.Departments, Department{d.Slug, d.Name(who.Language)})
	}
	return true
}

// Whoever comes with neither a device's cookie nor a session's is a stranger, about whom there is nothing to ask.
func (v Visitor) stranger() bool { return v.Device == "" && v.Session == "" }

// Whoever is looking, with what belongs to them.
var (
	visitStatement = visitWith(`false AS advised, '{}'::bigint[] AS likes, '{}'::text[] AS sizes, '{}'::bigint[] AS owned,
		'{}'::int[] AS owned_days`, ``)
	// What suggestions go by is read of those who agreed that we remember them and don't object to profiling.
	tasteStatement = visitWith(`taste.advised IS NOT NULL AS advised, coalesce(taste.departments, '{}') AS likes, coalesce(taste.sizes, '{}') AS sizes,
		coalesce(taste.owned, '{}') AS owned, coalesce(taste.owned_days, '{}') AS owned_days`, `
	LEFT JOIN LATERAL (
		SELECT true AS advised, f.departments, f.sizes, had.owned, had.owned_days
		FROM (
			SELECT array_agg(product_id) AS owned, array_agg(days) AS owned_days
			FROM (
				SELECT v.product_id, extract(day FROM now() - max(o.placed_at))::int AS days
				FROM orders o
				JOIN order_line l ON l.order_id = o.id AND NOT l.gift
				JOIN variant v ON v.id = l.variant_id
				WHERE o.customer_id = ANY (facts.ids) AND `+order.LineKept+`
				GROUP BY v.product_id
				ORDER BY days
				LIMIT 500) bought) had
		LEFT JOIN figure f ON f.customer_id = me.id
		WHERE NOT consented(me.id, 'objection', 'shop')) taste ON facts.remember`)
)

// visitWith is the statement with more columns, and what they are read from. The ids of all profiles that were merged are
// found once.
func visitWith(columns, from string) pg.Statement {
	return pg.Named(`
	SELECT `+columns+`, 
		`+reference.Version+` AS version, coalesce(me.id, 0) AS customer_id,
		coalesce(me.signed_in, false) AS signed_in, coalesce(me.name, '') AS name,
		coalesce(facts.remember, false) AS remember, coalesce(lines.units, 0)::int AS units,
		coalesce(lines.products, '{}') AS in_cart,
		coalesce(facts.member, false) AS member, coalesce(facts.tier, '') AS tier, coalesce(facts.tags, '{}') AS tags,
		coalesce(facts.segments, '{}') AS segments, coalesce(facts.returned, false) AS returned, coalesce(facts.barred, '{}') AS barred
	FROM (SELECT) one
	LEFT JOIN LATERAL (`+customer.Visitor+`) me ON true
	LEFT JOIN LATERAL (
		SELECT sum(line.quantity) AS units, array_agg(v.product_id) AS products
		FROM cart
		JOIN cart_line line ON line.cart_id = cart.id
		JOIN variant v ON v.id = line.variant_id
		WHERE cart.customer_id = me.id AND cart.state = 'open' AND line.sold_at IS NULL) lines ON true
	LEFT JOIN LATERAL (
		SELECT same.member, same.tier, same.ids,
			coalesce((
				SELECT given
				FROM consent
				WHERE customer_id = ANY (same.ids) AND purpose = 'personalisation' AND medium = 'shop'
				ORDER BY id DESC
				LIMIT 1), false) AS remember,
			ARRAY(SELECT DISTINCT tag FROM customer_tag WHERE customer_id = ANY (same.ids)) AS tags,
			ARRAY(SELECT DISTINCT segment_id FROM segment_member WHERE customer_id = ANY (same.ids)) AS segments,
			EXISTS (SELECT FROM orders WHERE state <> 'cancelled' AND customer_id = ANY (same.ids)) AS returned,
			CASE WHEN cardinality(@personal::bigint[]) > 0 THEN ARRAY(
				SELECT open.id
				FROM promotion open
				JOIN promotion_counter used ON used.promotion_id = open.id
					AND used.key = ANY (ARRAY(SELECT 'person:' || id FROM unnest(same.ids) AS id))
				WHERE open.id = ANY (@personal)
				GROUP BY open.id
				HAVING sum(used.used) >= open.max_per_customer) END AS barred
		FROM (
			SELECT person.registered_at IS NOT NULL AS member, person.tier,
				ARRAY(SELECT member FROM person_members(me.id) AS member) AS ids
			FROM customer person
			WHERE person.id = me.id
			OFFSET 0) same) facts ON true`+from, "device", "session", "personal")
}

// queueVisit asks, in the page's own batch, who is looking. Of a stranger only whether what the process knows still
// holds; a page whose own statement says that asks nothing.
func queueVisit(batch *pgx.Batch, who Visitor, visit *Visit, checked bool) {
	if who.stranger() {
		if !checked {
			var version int64
			batch.Queue(`SELECT n FROM reference_version`).QueryRow(func(row pgx.Row) error {
				if err := row.Scan(&version); err != nil {
					return err
				}
				return who.reference.Check(version)
			})
		}
		return
	}
	args := who.args()
	args["personal"] = who.reference.Personal
	statement := visitStatement
	if who.Taste {
		statement = tasteStatement
	}
	statement.Queue(batch, args).
		Query(func(rows pgx.Rows) error {
			row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[struct {
				quote.Shopper
				Version, CustomerID int64
				SignedIn, Remember  bool
				Name                string
				Units               int
				InCart, Barred      []int64
				Likes, Owned        []int64
				Sizes               []string
				Advised             bool
				OwnedDays           []int
			}])
			if err != nil {
				return err
			}
			visit.CustomerID, visit.SignedIn, visit.Name = row.CustomerID, row.SignedIn, row.Name
			visit.Remember, visit.Units, visit.InCart = row.Remember, row.Units, row.InCart
			visit.facts = facts{shopper: row.Shopper, barred: row.Barred}
			visit.taste = taste{advised: row.Advised, likes: row.Likes, sizes: row.Sizes, owned: map[int64]int{}}
			for i, id := range row.Owned {
				visit.taste.owned[id] = row.OwnedDays[i]
			}
			return who.reference.Check(row.Version)
		})
}

func (v Visitor) args() pgx.NamedArgs {
	args := pgx.NamedArgs{"store": v.StoreCode, "language": v.Language, "device": customer.DeviceValue(v.Device),
		"session": []byte(nil)}
	if v.Session != "" {
		args["session"] = secret.Digest(v.Session)
	}
	return args
}

// CustomerOf is the person whom a browser stands for, signed in or a guest; 0 when it is nobody's yet.
func CustomerOf(ctx context.Context, db pg.DB, who Visitor) (int64, error) {
	id, _, err := who.find(ctx, db)
	return id, err
}

// SignedIn is the person who is signed in; 0 when nobody is.
func SignedIn(ctx context.Context, db pg.DB, who Visitor) (int64, error) {
	id, signedIn, err := who.find(ctx, db)
	if !signedIn {
		id = 0
	}
	return id, err
}

// Whose is the cart that a browser's next thing goes into. StoreID is the store it is collected from; 0: none was chosen.
type Whose struct {
	CustomerID int64 // 0: nobody's yet
	SignedIn   bool
	StoreID    int64
}

// WhoseCart says whose cart it is.
func WhoseCart(ctx context.Context, db pg.DB, who Visitor) (Whose, error) {
	return page(ctx, db, who, func(who Visitor) (w Whose, err error) {
		home, chosen := who.reference.Home(who.StoreCode)
		if who.reference.Shop == nil || home == nil {
			return w, errNotOpen
		}
		if chosen {
			w.StoreID = home.ID
		}
		w.CustomerID, w.SignedIn, err = who.find(ctx, db)
		return w, err
	})
}

const findStatement = `
	SELECT coalesce(me.id, 0), coalesce(me.signed_in, false), ` + reference.Version + `
	FROM (SELECT) one
	LEFT JOIN LATERAL (` + customer.Visitor + `) me ON true`

func (v Visitor) find(ctx context.Context, db pg.DB) (id int64, signedIn bool, err error) {
	if v.stranger() && v.reference == nil {
		return 0, false, nil
	}
	var version int64
	err = db.QueryRow(ctx, findStatement, v.args()).Scan(&id, &signedIn, &version)
	if err != nil {
		return 0, false, fmt.Errorf("find out who is looking: %w", err)
	}
	if v.reference != nil {
		err = v.reference.Check(version)
	}
	return id, signedIn, err
}

// VisitOf reads the visit alone, for pages that show nothing else of the database.
func VisitOf(ctx context.Context, db pg.DB, who Visitor) (*Visit, error) {
	return page(ctx, db, who, func(who Visitor) (*Visit, error) {
		var visit Visit
		return &visit, send(ctx, db, &pgx.Batch{}, who, &visit, false)
	})
}

// page reads a page with what the process knows, again where that has changed.
func page[T any](ctx context.Context, db pg.DB, who Visitor, read func(who Visitor) (T, error)) (answer T, err error) {
	err = who.Reference.Read(ctx, db, func(data *reference.Data) (err error) {
		who.reference = data
		answer, err = read(who)
		return err
	})
	return answer, err
}

var errNotOpen = fault.New(fault.NotYet,
	"This shop isn’t open yet. If you run it, you’ll find the set-up link in the server’s log.")

// send adds the visit to a page's statements and runs them in one round trip. checked says that one of them reads the
// version of the reference data.
func send(ctx context.Context, db pg.DB, batch *pgx.Batch, who Visitor, visit *Visit, checked bool) error {
	open := visit.with(who)
	queueVisit(batch, who, visit, checked && open)
	if batch.Len() == 0 {
		return nil
	}
	if err := db.SendBatch(ctx, batch).Close(); errors.Is(err, reference.ErrStale) {
		return err
	} else if err != nil && open {
		return fmt.Errorf("read a page: %w", err)
	}
	if !open {
		return errNotOpen
	}
	return nil
}

// asJSON scans a jsonb column into a value.
func asJSON(into any) any { return &jsonColumn{into} }

type jsonColumn struct{ into any }

func (c *jsonColumn) Scan(src any) error {
	switch src := src.(type) {
	case nil:
		return nil
	case string:
		return json.Unmarshal([]byte(src), c.into)
	case []byte:
		return json.Unmarshal(src, c.into)
	}
	return fmt.Errorf("a JSON column of %T", src)
}

// Stores are all stores, beside the visit.
func Stores(ctx context.Context, db pg.DB, who Visitor) (*Visit, []location.Location, error) {
	var stores []location.Location
	visit, err := page(ctx, db, who, func(who Visitor) (*Visit, error) {
		stores = slices.DeleteFunc(slices.Clone(who.reference.Locations), func(l location.Location) bool {
			return l.Kind != "store"
		})
		var visit Visit
		return &visit, send(ctx, db, &pgx.Batch{}, who, &visit, false)
	})
	return visit, stores, err
}

// Advise reads what the shop suggests to whoever is looking, in a language; see advise.
func (v *Visit) Advise(ctx context.Context, db pg.DB, language string) (hints []advice.Hint, err error) {
	err = v.advise(ctx, db, language, &hints)
	return hints, err
}

// advise reads what the shop suggests to whoever is looking, where they agreed to be remembered. Those in the holdout are
// suggested nothing.
func (v *Visit) advise(ctx context.Context, db pg.DB, language string, hints *[]advice.Hint) error {
	if !v.Remember || v.CustomerID == 0 || hint.Held(v.CustomerID) {
		return nil
	}
	batch := &pgx.Batch{}
	advice.QueueOwn(batch, v.CustomerID, v.Store.ID, language, hints)
	if err := db.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("read suggestions: %w", err)
	}
	return nil
}
