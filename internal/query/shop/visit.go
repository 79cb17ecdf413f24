// Package shop reads what a shopper's page shows: who is looking, what there is, what it costs and which store has it.
package shop

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/location"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/secret"
)

// Visitor is what a browser brings along: the cookies of its device and of somebody's session, and the code of the
// store it chose. All may be empty.
type Visitor struct {
	Device    string
	Session   string
	StoreCode string
	Language  string
	At        time.Time
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
	Departments []Department
	At          time.Time
	facts       facts
}

// Department is a category at the top.
type Department struct {
	Slug string `json:"slug"`
	Name string `json:"name"`
}

// Money is an amount in the visit's currency.
func (v *Visit) Money(minor int64) money.Money { return money.New(minor, v.Store.Currency) }

// home is the store whose prices a page shows: the chosen one or the chain's first.
const home = `
	home AS (
		SELECT l.id, l.country, l.region, list.id AS list_id
		FROM location l
		JOIN price_list list ON list.currency = l.currency AND list.tax_included = l.tax_included
		WHERE l.id = coalesce(
			(SELECT id FROM location WHERE code = @store AND kind = 'store'),
			(SELECT min(id) FROM location WHERE kind = 'store')))`

var visitStatement = pg.Named(`
	SELECT shop.name, shop.demo, l.code = @store, coalesce(me.id, 0), coalesce(me.signed_in, false), coalesce(me.name,
		''),
		CASE WHEN me.id IS NULL THEN false ELSE consented(me.id, 'personalisation', 'shop') END,
		coalesce((
			SELECT sum(line.quantity)
			FROM cart
			JOIN cart_line line ON line.cart_id = cart.id
			WHERE cart.customer_id = me.id AND cart.state = 'open' AND line.sold_at IS NULL), 0),
		coalesce((
			SELECT json_agg(json_build_object('slug', c.slug, 'name', t.name) ORDER BY c.position)
			FROM category c
			CROSS JOIN LATERAL (
				SELECT name FROM category_text
				WHERE category_id = c.id
				ORDER BY language = @language DESC, language = 'en' DESC
				LIMIT 1) t
			WHERE c.parent_id IS NULL), '[]'),
		coalesce(facts.member, false), coalesce(facts.tier, ''), coalesce(facts.tags, '{}'), coalesce(facts.returned,
			false), coalesce(facts.barred, '{}'),
		`+location.Columns+`
	FROM shop
	JOIN location l ON l.id = coalesce(
		(SELECT id FROM location WHERE code = @store AND kind = 'store'),
		(SELECT min(id) FROM location WHERE kind = 'store'))
	LEFT JOIN LATERAL (`+customer.Visitor+`) me ON true
	LEFT JOIN LATERAL (
		SELECT person.registered_at IS NOT NULL AS member, person.tier,
			ARRAY(SELECT DISTINCT tag FROM customer_tag WHERE customer_id = ANY (same.ids)) AS tags,
			EXISTS (SELECT FROM orders WHERE state <> 'cancelled' AND customer_id = ANY (same.ids)) AS returned,
			ARRAY(
				SELECT open.id
				FROM promotion open
				JOIN promotion_counter used ON used.promotion_id = open.id AND used.key IN (SELECT 'person:' || id
					FROM unnest(same.ids) AS id)
				WHERE open.state = 'live' AND open.max_per_customer IS NOT NULL
				GROUP BY open.id
				HAVING sum(used.used) >= open.max_per_customer) AS barred
		FROM customer person
		CROSS JOIN LATERAL (SELECT ARRAY(SELECT member FROM person_members(me.id) AS member) AS ids) same
		WHERE person.id = me.id) facts ON true`, "store", "language", "device", "session")

var keptDepartments decoded[[]Department]

// queueVisit asks for the visit in the page's own batch.
func queueVisit(batch *pgx.Batch, who Visitor, visit *Visit) {
	visit.At = who.At
	visitStatement.Queue(batch, who.args()).
		QueryRow(func(row pgx.Row) error {
			s, f := &visit.Store, &visit.facts
			return row.Scan(&visit.Shop, &visit.Demo, &visit.Chosen, &visit.CustomerID, &visit.SignedIn, &visit.Name,
				&visit.Remember, &visit.Units, keptDepartments.into(&visit.Departments),
				&f.shopper.Member, &f.shopper.Tier, &f.shopper.Tags, &f.shopper.Returned, &f.barred,
				&s.ID, &s.Code, &s.Slug, &s.Kind, &s.Name, &s.Street, &s.Town, &s.Postcode, &s.Country, &s.Region,
				&s.Phone, &s.Latitude, &s.Longitude,
				&s.TimeZone, &s.Currency, &s.TaxIncluded, &s.Pickup, &s.Ship, &s.TakesReturns, &s.Hours, &s.Special)
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

func (v Visitor) find(ctx context.Context, db pg.DB) (id int64, signedIn bool, err error) {
	if v.Device == "" && v.Session == "" {
		return 0, false, nil
	}
	err = db.QueryRow(ctx, `SELECT id, signed_in FROM (`+customer.Visitor+`) me`, v.args()).Scan(&id, &signedIn)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("find out who is looking: %w", err)
	}
	return id, signedIn, nil
}

// VisitOf reads the visit alone, for pages that show nothing else of the database.
func VisitOf(ctx context.Context, db pg.DB, who Visitor) (*Visit, error) {
	var visit Visit
	return &visit, send(ctx, db, &pgx.Batch{}, who, &visit)
}

// send adds the visit to a page's statements and runs them in one round trip.
func send(ctx context.Context, db pg.DB, batch *pgx.Batch, who Visitor, visit *Visit) error {
	queueVisit(batch, who, visit)
	err := db.SendBatch(ctx, batch).Close()
	if errors.Is(err, pgx.ErrNoRows) {
		return fault.New(fault.NotYet,
			"This shop isn’t open yet. If you run it, you’ll find the set-up link in the server’s log.")
	}
	if err != nil {
		return fmt.Errorf("read a page: %w", err)
	}
	return nil
}

// asJSON scans a jsonb column into a value.
func asJSON(into any) any { return &jsonColumn{into} }

// decoded keeps what a JSON column that rarely changes was read as, until it says something else. What it gives out is
// shared: nobody may change it.
type decoded[T any] struct {
	last atomic.Pointer[struct {
		text  string
		value T
	}]
}

// into scans the column into a value.
func (d *decoded[T]) into(value *T) any { return &decodedColumn[T]{d, value} }

type decodedColumn[T any] struct {
	kept *decoded[T]
	into *T
}

func (c *decodedColumn[T]) Scan(src any) error {
	said, ok := src.(string)
	if last := c.kept.last.Load(); ok && last != nil && last.text == said {
		*c.into = last.value
		return nil
	}
	if err := (&jsonColumn{c.into}).Scan(src); err != nil {
		return err
	}
	if ok {
		c.kept.last.Store(&struct {
			text  string
			value T
		}{said, *c.into})
	}
	return nil
}

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

// Stores reads all stores beside the visit.
func Stores(ctx context.Context, db pg.DB, who Visitor) (*Visit, []location.Location, error) {
	var visit Visit
	var stores []location.Location
	batch := &pgx.Batch{}
	batch.Queue(`
		SELECT ` + location.Columns + `
		FROM location l
		WHERE l.kind = 'store'
		ORDER BY l.name`).Query(func(rows pgx.Rows) (err error) {
		stores, err = pgx.CollectRows(rows, pgx.RowToStructByName[location.Location])
		return err
	})
	return &visit, stores, send(ctx, db, batch, who, &visit)
}
