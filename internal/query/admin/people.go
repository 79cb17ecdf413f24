package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/loyalty"
	"counterpart/internal/domain/order"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/phone"
	"counterpart/internal/query/profile"
)

// Segment is customers by simple rules. Zero is no rule. Amounts are in minor units, whatever the currency: a rule is
// about one market at a time.
type Segment struct {
	Words    string
	Spent    int64  // at least
	Orders   int    // at least
	Away     int    // days since the last order, at least
	Within   int    // days since the last order, at most
	Store    string // code of a store where they ordered
	Tag      string
	Account  bool   // with an account
	News     bool   // who agreed to news by mail
	In       int64  // of the segment with this number
	Currency string // of Spent
}

// rules says whether purchases decide.
func (s Segment) rules() bool {
	return s.Spent > 0 || s.Orders > 0 || s.Away > 0 || s.Within > 0 || s.Store != ""
}

// CustomerRow is a line of the list.
type CustomerRow struct {
	ID         int64
	Name       string
	Email      string
	Phone      string
	Registered bool
	Disabled   bool
	Tags       []string
	Store      string
	Orders     int
	Spent      int64
	Currency   string
	Last       *time.Time
}

// CountUpTo is how far a list is counted.
const CountUpTo = 10_000

// where is the statement's conditions: only those of rules that are set.
func (s Segment) where(ctx context.Context, db pg.DB) (c conditions, args pgx.NamedArgs, err error) {
	args = pgx.NamedArgs{"spent": s.Spent, "orders": s.Orders, "away": s.Away, "within": s.Within, "store": s.Store,
		"tag": strings.ToLower(s.Tag), "currency": s.Currency, "email": "", "phone": "", "part": ""}
	c.add(`c.merged_into IS NULL AND c.erased_at IS NULL
			AND (c.name <> '' OR EXISTS (SELECT FROM identity WHERE customer_id = c.id AND kind <> 'device'))`)
	if words := strings.TrimSpace(s.Words); words != "" {
		args["words"] = "%" + pg.Literal(words) + "%"
		who := []string{`SELECT id FROM customer WHERE plain_name(name) LIKE plain_name(@words)`}
		const known = `SELECT coalesce(m.merged_into, m.id) FROM identity i JOIN customer m ON m.id = i.customer_id WHERE `
		if email, ok := customer.NormalEmail(words); ok {
			args["email"] = email
		}
		country, err := location.CountryOf(ctx, db, s.Store)
		if err != nil {
			return c, nil, err
		}
		if number, ok := phone.Read(words, country); ok {
			args["phone"] = number
		}
		if args["email"] != "" || args["phone"] != "" {
			who = append(who, known+`i.kind IN ('email', 'phone') AND i.value IN (@email, @phone)`)
		}
		if part := strings.NewReplacer(" ", "", "-", "", "+", "").Replace(words); len(part) >= 4 &&
			strings.Trim(part, "0123456789") == "" {
			args["part"] = "%" + strings.TrimPrefix(part, "0") + "%"
			who = append(who, known+`i.kind = 'phone' AND i.value LIKE @part`)
		}
		found := `c.id IN (` + strings.Join(who, "\n\t\t\tUNION ") + `)`
		c.addBoth(found, `(plain_name(c.name) LIKE plain_name(@words) OR EXISTS (SELECT FROM identity i
			JOIN customer m ON m.id = i.customer_id
			WHERE (m.id = c.id OR m.merged_into = c.id) AND (i.kind IN ('email', 'phone') AND i.value IN (@email, @phone)
				OR @part <> '' AND i.kind = 'phone' AND i.value LIKE @part)))`)
	}
	if s.Account {
		c.add(`c.registered_at IS NOT NULL`)
	}
	if s.Tag != "" {
		c.addBoth(`c.id IN (SELECT customer_id FROM customer_tag WHERE tag = @tag)`,
			`EXISTS (SELECT FROM customer_tag WHERE customer_id = c.id AND tag = @tag)`)
	}
	if s.In != 0 {
		args["in"] = s.In
		c.addBoth(`c.id IN (SELECT customer_id FROM segment_member WHERE segment_id = @in)`,
			`EXISTS (SELECT FROM segment_member WHERE segment_id = @in AND customer_id = c.id)`)
	}
	if s.News {
		c.add(`consented(c.id, 'marketing', 'mail')`)
	}
	if s.rules() {
		c.add(`c.id IN (
				SELECT coalesce(m.merged_into, m.id)
				FROM orders o
				JOIN customer m ON m.id = o.customer_id
				JOIN location l ON l.id = o.location_id
				WHERE o.state = 'confirmed' AND (@store = '' OR l.code = @store) AND (@spent::bigint = 0
					OR o.currency = @currency) AND (@spent::bigint = 0 AND @orders = 0 OR ` + order.AnyKept + `)
				GROUP BY 1
				HAVING (@spent::bigint = 0 OR sum(CASE WHEN @spent::bigint > 0
					THEN ` + order.AmountKept + ` END) >= @spent::bigint) AND count(*) >= @orders
					AND (@away = 0 OR max(o.placed_at) < now() - make_interval(days => @away))
					AND (@within = 0 OR max(o.placed_at) >= now() - make_interval(days => @within)))`)
	}
	return c, args, nil
}

// Customers lists people: those whose email or number it is, or whose name has the words, and whom the rules describe.
func Customers(ctx context.Context, db pg.DB, s Segment, page Page) (list []CustomerRow, total int, err error) {
	c, args, err := s.where(ctx, db)
	if err != nil {
		return nil, 0, err
	}
	found, total, err := matching(ctx, db, "c.id", "customer c WHERE "+all(c.find), args)
	if err != nil {
		return nil, 0, fmt.Errorf("find customers: %w", err)
	}
	if total == 0 {
		return nil, 0, nil
	}
	where := all(c.walk)
	if found != nil {
		where, args["found"] = "c.id = ANY (@found)", found
	}
	walk, direction := page.walk("c.id", "@edge", args)
	err = pg.Ask(ctx, db, pg.All(&list, `
		SELECT p.id, p.name,
			coalesce((SELECT value FROM identity WHERE customer_id = p.id AND kind = 'email'
				ORDER BY verified_at IS NULL, id LIMIT 1), '') AS email,
			coalesce((SELECT value FROM identity WHERE customer_id = p.id AND kind = 'phone'
				ORDER BY verified_at IS NULL, id LIMIT 1), '') AS phone,
			p.registered_at IS NOT NULL AS registered, p.disabled_at IS NOT NULL AS disabled,
			ARRAY(SELECT tag FROM customer_tag WHERE customer_id = p.id ORDER BY tag) AS tags,
			coalesce(l.name, '') AS store, coalesce(w.orders, 0)::int AS orders, coalesce(w.spent, 0)::bigint AS spent,
			coalesce(w.currency, '')::text AS currency, w.last
		FROM (
			SELECT c.*
			FROM customer c
			WHERE `+where+walk+`
			ORDER BY c.id `+direction+`
			`+page.limit()+`) p
		LEFT JOIN location l ON l.id = p.location_id
		LEFT JOIN LATERAL (
			SELECT o.currency, sum(`+order.AmountKept+`) AS spent, count(*) AS orders, max(o.placed_at) AS last
			FROM orders o
			WHERE o.customer_id IN (SELECT member FROM person_members(p.id) AS member)
				AND o.state = 'confirmed' AND `+order.AnyKept+`
			GROUP BY o.currency
			ORDER BY 3 DESC
			LIMIT 1) w ON true
		ORDER BY p.id DESC`, args))
	if err != nil {
		return nil, 0, fmt.Errorf("list customers: %w", err)
	}
	return list, total, nil
}

// Customer is a person as the office sees them.
type Customer struct {
	profile.Person
	Orders   []profile.Order
	Worth    []profile.LifetimeValue
	Consents []profile.Consent
	Timeline []profile.Fact
	Perhaps  []profile.PossibleDuplicate
	Merges   []MergeRow
	Sittings []profile.SignedInSession
	Standing *loyalty.Stands
}

// MergeRow is a merge that holds, with whom it took in.
type MergeRow struct {
	ID     int64
	Name   string
	Proof  string
	Reason string
	By     string
	At     time.Time
}

// CustomerPage reads a person for the office. Nil when there is none.
func CustomerPage(ctx context.Context, db pg.DB, person int64) (*Customer, error) {
	c := &Customer{}
	batch := &pgx.Batch{}
	profile.Queue(batch, person, &c.Person)
	profile.QueueOrders(batch, person, 20, &c.Orders)
	profile.QueueLifetimeValue(batch, person, &c.Worth)
	profile.QueueConsents(batch, person, &c.Consents)
	profile.QueueTimeline(batch, person, 60, &c.Timeline)
	profile.QueueStanding(batch, person, &c.Standing)
	profile.QueuePossibleDuplicates(batch, person, &c.Perhaps)
	profile.QueueSignedInSessions(batch, person, nil, &c.Sittings)
	batch.Queue(`
		SELECT m.id, a.name, m.proof, m.reason, coalesce(s.name, '') AS by, m.at
		FROM merge m
		JOIN customer a ON a.id = m.absorbed_id
		LEFT JOIN associate s ON s.id = m.associate_id
		WHERE m.survivor_id = $1 AND m.undone_at IS NULL
		ORDER BY m.id DESC`, person).Query(func(rows pgx.Rows) (err error) {
		c.Merges, err = pgx.CollectRows(rows, pgx.RowToStructByName[MergeRow])
		return err
	})
	err := db.SendBatch(ctx, batch).Close()
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read a customer: %w", err)
	}
	if !profile.Agreed(c.Consents, customer.Clienteling, customer.InShop) {
		// What is on their list is theirs to show.
		c.Timeline = slices.DeleteFunc(c.Timeline, func(f profile.Fact) bool { return f.Kind == customer.Wished })
	}
	return c, nil
}

// AssociateRow is somebody who works here, as the office lists them.
type AssociateRow struct {
	ID        int64
	Name      string
	Email     string
	Role      string
	Locations []int64
	Stores    []string
	Disabled  bool
	TOTP      bool
	Passkeys  int
	PIN       bool
	SeenAt    *time.Time
}

// Second says whether a second factor is set up.
func (a AssociateRow) Second() bool { return a.TOTP || a.Passkeys > 0 }

// Associates lists who works here, or one of them.
func Associates(ctx context.Context, db pg.DB, id int64) ([]AssociateRow, error) {
	rows, err := db.Query(ctx, `
		SELECT a.id, a.name, a.email, a.role,
			ARRAY(SELECT location_id FROM associate_location WHERE associate_id = a.id
				ORDER BY location_id) AS locations,
			ARRAY(SELECT l.name FROM associate_location al JOIN location l ON l.id = al.location_id
				WHERE al.associate_id = a.id ORDER BY l.name) AS stores,
			a.disabled_at IS NOT NULL AS disabled, a.totp_secret IS NOT NULL AS totp, (SELECT count(*)
				FROM associate_passkey
				WHERE associate_id = a.id)::int AS passkeys, a.pin_hash IS NOT NULL AS pin,
			(SELECT max(seen_at) FROM session WHERE associate_id = a.id) AS seen_at
		FROM associate a
		WHERE $1::bigint = 0 OR a.id = $1
		ORDER BY a.disabled_at IS NOT NULL, a.name, a.id
		LIMIT 500`, id)
	if err != nil {
		return nil, fmt.Errorf("list associates: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[AssociateRow])
}

// DeviceRow is a registered machine.
type DeviceRow struct {
	ID         int64
	Name       string
	LocationID int64
	Store      string
	By         string
	At         time.Time
	LockedAt   *time.Time
	RevokedAt  *time.Time
	Failures   int
}

// Devices lists machines, those that count first.
func Devices(ctx context.Context, db pg.DB) ([]DeviceRow, error) {
	rows, err := db.Query(ctx, `
		SELECT d.id, d.name, d.location_id, l.name AS store, a.name AS by, d.registered_at AS at, d.locked_at,
			d.revoked_at, d.failures
		FROM device d
		JOIN location l ON l.id = d.location_id
		JOIN associate a ON a.id = d.registered_by
		ORDER BY d.revoked_at IS NOT NULL, l.name, d.id DESC
		LIMIT 500`)
	if err != nil {
		return nil, fmt.Errorf("list machines: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[DeviceRow])
}

// TrailFilter narrows the audit trail down.
type TrailFilter struct {
	By     int64
	Action string
	From   string // dates, YYYY-MM-DD
	To     string
	Page   int
	All    bool // everything at once, for an export
}

// TrailRow is a line of it.
type TrailRow struct {
	ID       int64
	At       time.Time
	By       string
	Approved string
	Action   string
	Subject  string
	Of       int64
	Store    string
	Before   string
	After    string
	Reason   string
}

// MostTrail is how much of the trail one export holds.
const MostTrail = 50_000

// Trail reads the audit trail, newest first. A manager reads what happened at their stores and what they did, an admin
// everything: stores nil.
func Trail(ctx context.Context, db pg.DB, f TrailFilter, viewer int64, stores []int64) (rows []TrailRow, more bool,
	err error) {
	take, skip := PerPage, (max(f.Page, 1)-1)*PerPage
	if f.All {
		take, skip = MostTrail, 0
	}
	found, err := db.Query(ctx, `
		SELECT e.id, e.at, coalesce(a.name, '') AS by, coalesce(m.name, '') AS approved, e.action, e.subject,
			e.subject_id AS of,
			coalesce(l.name, '') AS store, coalesce(e.before::text, '') AS before, coalesce(e.after::text, '') AS after,
				e.reason
		FROM audit_entry e
		LEFT JOIN associate a ON a.id = e.associate_id
		LEFT JOIN associate m ON m.id = e.approved_by
		LEFT JOIN location l ON l.id = e.location_id
		WHERE (@by::bigint = 0 OR e.associate_id = @by OR e.approved_by = @by) AND (@action = ''
			OR e.action LIKE @action || '%')
			AND (@from = '' OR e.at >= nullif(@from, '')::date) AND (@to = '' OR e.at < nullif(@to, '')::date + 1)
			AND (@stores::bigint[] IS NULL OR e.location_id = ANY(@stores) OR e.associate_id = @viewer)
		ORDER BY e.id DESC
		LIMIT @take OFFSET @skip`, pgx.NamedArgs{
		"by": f.By, "action": f.Action, "from": f.From, "to": f.To, "stores": stores, "viewer": viewer, "take": take + 1, "skip": skip})
	if err != nil {
		return nil, false, fmt.Errorf("read the audit trail: %w", err)
	}
	rows, err = pgx.CollectRows(found, pgx.RowToStructByName[TrailRow])
	if len(rows) > take {
		rows, more = rows[:take], true
	}
	return rows, more, err
}
