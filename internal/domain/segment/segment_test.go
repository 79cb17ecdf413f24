package segment_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/browsing"
	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/figure"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/segment"
	"counterpart/internal/domain/staff"
	"counterpart/internal/flow/person"
	"counterpart/internal/flow/privacy"
	"counterpart/internal/flow/settings"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/files"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/audit"
	"counterpart/internal/proof/sample"
	"counterpart/internal/query/admin"
)

var ctx = context.Background()

func one(match string, all ...segment.Condition) segment.Tree {
	return segment.Tree{Currency: "GBP", Groups: []segment.Group{{Match: match, Conditions: all}}}
}

// members that are kept of a segment, as numbers of a list of people.
func members(t *testing.T, db *pgxpool.Pool, id int64, people []int64) (in []int) {
	t.Helper()
	in = []int{}
	for i, p := range people {
		var is bool
		require.NoError(t, db.QueryRow(ctx, `SELECT EXISTS (SELECT FROM segment_member WHERE segment_id = $1
			AND customer_id = $2)`, id, p).Scan(&is))
		if is {
			in = append(in, i)
		}
	}
	return in
}

// Four people: one bought twice at the counter, one once online, one only looked, one did nothing.
func four(t *testing.T) (*sample.Shelf, []int64) {
	t.Helper()
	db, _ := pgtest.Database(t)
	s := sample.Stocked(t, db, 3)
	var people []int64
	for n := range 4 {
		id, _ := sample.Account(t, db, fmt.Sprint("Person ", n), fmt.Sprintf("p%d@example.com", n))
		people = append(people, id)
	}
	s.Buy(t, people[0], true, 0, 1)
	s.Buy(t, people[0], true, 0)
	s.Buy(t, people[1], false, 2)
	require.NoError(t, pg.InTx(ctx, db, func(tx pgx.Tx) error {
		return customer.Verify(ctx, tx, people[2], "device", "a-device", "web")
	}))
	require.NoError(t, person.RecordConsent(ctx, db, people[2], customer.ConsentEntry{Purpose: customer.Personalisation,
		Medium: customer.InShop, Given: true, Source: origin.Web}))
	var product int64
	require.NoError(t, db.QueryRow(ctx, `SELECT product_id FROM variant WHERE id = $1`, s.Variants[0]).Scan(&product))
	for range 3 {
		require.NoError(t, browsing.Write(ctx, db, []browsing.Event{{Device: "a-device", At: time.Now(), ProductID: product}}))
	}
	_, err := db.Exec(ctx, `
		INSERT INTO place (country, kind, key, name, latitude, longitude) VALUES
			('GB', 'postcode', 'LS1', 'LS1', 53.7965, -1.5478), ('GB', 'postcode', 'SW1A', 'SW1A', 51.501, -0.1416);
		INSERT INTO customer_tag (customer_id, tag) SELECT id, 'vip' FROM customer WHERE name = 'Person 1'`)
	require.NoError(t, err)
	for i, postcode := range []string{"LS1 4DY", "SW1A 1AA"} {
		_, err := db.Exec(ctx, `INSERT INTO address (customer_id, name, lines, town, postcode, country)
			VALUES ($1, 'A', '1 Street', 'Town', $2, 'GB')`, people[i], postcode)
		require.NoError(t, err)
	}
	require.NoError(t, figure.Rebuild(ctx, db))
	return s, people
}

func TestConditions(t *testing.T) {
	s, people := four(t)
	db := s.DB
	at := func(field string, n int64) segment.Condition {
		return segment.Condition{Field: field, Compare: segment.AtLeast, Number: n}
	}
	under := func(field string, n int64) segment.Condition {
		return segment.Condition{Field: field, Compare: segment.AtMost, Number: n}
	}
	is := func(field, value string) segment.Condition {
		return segment.Condition{Field: field, Compare: segment.Is, Text: value}
	}
	not := func(c segment.Condition) segment.Condition { c.Compare = segment.IsNot; return c }
	bought := segment.Condition{Field: "bought", Compare: segment.Is, Text: "thing-0"}
	there := bought
	there.Place = s.MillLane.ID
	looked := segment.Condition{Field: "looked", Compare: segment.Is, Text: "THING-0", Number: 3, Days: 9}
	near := segment.Condition{Field: "near", Compare: segment.Is, Text: "LS1", Number: 50}
	for name, c := range map[string]struct {
		tree segment.Tree
		want []int
	}{
		"orders":               {one(segment.All, at("orders", 2)), []int{0}},
		"no orders":            {one(segment.All, under("orders", 0)), []int{2, 3}},
		"channels":             {one(segment.Any, at("web_orders", 1), at("store_orders", 1)), []int{0, 1}},
		"spend":                {one(segment.All, at("spent", 2500)), []int{0}},
		"spend little":         {one(segment.All, under("spent", 1000)), []int{1, 2, 3}},
		"average":              {one(segment.All, at("average", 1200)), []int{0}},
		"none of":              {one(segment.None, at("orders", 1)), []int{2, 3}},
		"last":                 {one(segment.All, under("last", 7)), []int{0, 1}},
		"long ago":             {one(segment.All, at("last", 7)), []int{}},
		"never is not long":    {one(segment.None, under("last", 7)), []int{2, 3}},
		"looks":                {one(segment.All, at("looks", 3)), []int{2}},
		"bought it":            {one(segment.All, bought), []int{0}},
		"not":                  {one(segment.All, not(bought)), []int{1, 2, 3}},
		"at another store":     {one(segment.All, there), []int{}},
		"department":           {one(segment.All, is("department", "kitchen")), []int{0, 1}},
		"looked, not bought":   {one(segment.All, looked), []int{2}},
		"near":                 {one(segment.All, near), []int{0}},
		"not near":             {one(segment.All, not(near)), []int{1, 2, 3}},
		"tag":                  {one(segment.All, is("tag", "VIP")), []int{1}},
		"no tag":               {one(segment.All, not(is("tag", "vip"))), []int{0, 2, 3}},
		"consent":              {one(segment.All, is("consent", "personalisation:shop")), []int{2}},
		"account":              {one(segment.All, is("account", "yes")), []int{0, 1, 2, 3}},
		"no account":           {one(segment.All, not(is("account", "yes"))), []int{}},
		"nobody has this size": {one(segment.All, is("size", "XXL")), []int{}},
		"nothing foretold":     {one(segment.All, at("active", 1)), []int{}},
		"two groups": {segment.Tree{Currency: "GBP", Groups: []segment.Group{
			{Match: segment.Any, Conditions: []segment.Condition{at("orders", 1), at("looks", 1)}},
			{Match: segment.None, Conditions: []segment.Condition{is("tag", "vip")}}}}, []int{0, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			s := segment.Segment{Title: name, Tree: c.tree, Living: true}
			require.NoError(t, settings.SaveSegment(ctx, db, origin.Origin{AssociateID: 1}, &s))
			require.Equal(t, c.want, members(t, db, s.ID, people))
			require.Len(t, c.want, s.Members)
			n, ids, late, err := segment.Sample(ctx, db, s.Tree, 2)
			require.NoError(t, err)
			require.False(t, late)
			require.Equal(t, len(c.want), n)
			require.LessOrEqual(t, len(ids), 2)
			_, err = segment.Estimate(ctx, db, s.Tree)
			require.NoError(t, err)
		})
	}
	found, err := audit.Run(ctx, db)
	require.NoError(t, err)
	require.Empty(t, found)
}

func TestWhatCannotBeAskedIsRefused(t *testing.T) {
	s, _ := four(t)
	for _, c := range []segment.Condition{{Field: "bogus", Compare: segment.AtLeast}, {Field: "orders", Compare: segment.Is},
		{Field: "orders", Compare: segment.AtLeast, Number: -1}, {Field: "active", Compare: segment.AtLeast, Number: 101},
		{Field: "bought", Compare: segment.Is, Text: "no such thing"}, {Field: "near", Compare: segment.Is, Text: "Nowhere", Number: 5},
		{Field: "tag", Compare: segment.Is}, {Field: "store", Compare: segment.Is},
		{Field: "looked", Compare: segment.Is, Text: "thing-0"}, {Field: "bought", Compare: segment.Is, Text: "thing-0", Days: -4}} {
		err := settings.SaveSegment(ctx, s.DB, origin.Origin{AssociateID: 1}, &segment.Segment{Title: "x", Tree: one(segment.All, c)})
		f := fault.As(err)
		require.NotNil(t, f, "%+v: %v", c, err)
		require.Contains(t, f.Fields, "c0", "%+v", c)
	}
	require.NotNil(t, fault.As(settings.SaveSegment(ctx, s.DB, origin.Origin{AssociateID: 1}, &segment.Segment{Title: "none"})))
}

// A living segment follows; a fixed one keeps whom it had. Merging, parting and forgetting leave nobody behind.
func TestALivingSegmentFollows(t *testing.T) {
	s, people := four(t)
	db := s.DB
	tree := one(segment.All, segment.Condition{Field: "orders", Compare: segment.AtLeast, Number: 2})
	living, fixed := segment.Segment{Title: "living", Tree: tree, Living: true}, segment.Segment{Title: "fixed", Tree: tree}
	for _, each := range []*segment.Segment{&living, &fixed} {
		require.NoError(t, settings.SaveSegment(ctx, db, origin.Origin{AssociateID: 1}, each))
	}
	follow := func() {
		t.Helper()
		ids, err := figure.Update(ctx, db)
		require.NoError(t, err)
		require.NoError(t, segment.Refresh(ctx, db, ids, false))
		kept, err := segment.ByID(ctx, db, living.ID)
		require.NoError(t, err)
		require.Len(t, members(t, db, living.ID, people), kept.Members)
		n, _, _, err := segment.Sample(ctx, db, tree, 1)
		require.NoError(t, err)
		require.Equal(t, n, kept.Members, "as if asked anew")
	}
	s.Buy(t, people[1], true, 1)
	follow()
	require.Equal(t, []int{0, 1}, members(t, db, living.ID, people))
	require.Equal(t, []int{0}, members(t, db, fixed.ID, people))
	office := origin.Origin{Channel: origin.Counter, AssociateID: s.Bea.ID, LocationID: s.HarbourStreet.ID}
	merge, err := person.Merge(ctx, db, office, customer.Merge{SurvivorID: people[3], AbsorbedID: people[0],
		Proof: customer.ByManager, Reason: "same", AssociateID: s.Bea.ID})
	require.NoError(t, err)
	follow()
	require.Equal(t, []int{1, 3}, members(t, db, living.ID, people))
	_, err = person.Unmerge(ctx, db, office, merge, "not")
	require.NoError(t, err)
	follow()
	require.Equal(t, []int{0, 1}, members(t, db, living.ID, people))
	store, err := files.Open(t.TempDir())
	require.NoError(t, err)
	require.NoError(t, privacy.Erase(ctx, db, store, people[0], staff.Entry{AssociateID: s.Bea.ID}))
	require.Equal(t, []int{1}, members(t, db, living.ID, people), "at once")
	require.Empty(t, members(t, db, fixed.ID, people))
	follow()
	found, err := audit.Run(ctx, db)
	require.NoError(t, err)
	require.Empty(t, found)
}

// Two who save, and one who asks again meanwhile: one of the two is refused, and the count is that of the rows.
func TestTwoWhoSave(t *testing.T) {
	s, people := four(t)
	first := segment.Segment{Title: "one", Tree: one(segment.All, segment.Condition{Field: "orders", Compare: segment.AtLeast,
		Number: 1}), Living: true}
	require.NoError(t, settings.SaveSegment(ctx, s.DB, origin.Origin{AssociateID: 1}, &first))
	var group sync.WaitGroup
	var lock sync.Mutex
	refused := 0
	for n := range 4 {
		group.Go(func() {
			if n == 3 {
				for range 5 {
					assert.NoError(t, segment.Refresh(ctx, s.DB, people, false))
				}
				return
			}
			mine := first
			mine.Tree = one(segment.All, segment.Condition{Field: "orders", Compare: segment.AtMost, Number: int64(n)})
			if err := settings.SaveSegment(ctx, s.DB, origin.Origin{AssociateID: 1}, &mine); err != nil {
				assert.Equal(t, fault.Conflict, fault.As(err).Kind)
				lock.Lock()
				refused++
				lock.Unlock()
			}
		})
	}
	group.Wait()
	require.Equal(t, 2, refused)
	kept, err := segment.ByID(ctx, s.DB, first.ID)
	require.NoError(t, err)
	require.Len(t, members(t, s.DB, first.ID, people), kept.Members)
	n, _, _, err := segment.Sample(ctx, s.DB, kept.Tree, 1)
	require.NoError(t, err)
	require.Equal(t, n, kept.Members)
	require.NoError(t, admin.Resolve(ctx, s.DB, &kept.Tree))
}
