package shop

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/cart"
	"counterpart/internal/domain/recommend"
	"counterpart/internal/platform/pg"
	"counterpart/internal/query/profile"
)

// Neighbour is a product that the shop suggests beside others. Why is one of the sources; Because is what it goes with,
// where several things lie beside each other.
type Neighbour struct {
	ID      int64  `json:"id"`
	Slug    string `json:"slug"`
	Title   string `json:"title"`
	Picture string `json:"picture"`
	Why     string `json:"why"`
	Because string `json:"because"`
	// What it is chosen by, and the rules of the place.
	Score      float64  `json:"score"`
	Categories []int64  `json:"categories"`
	Comes      []string `json:"comes"` // sizes in which it is made
	Sizes      []string `json:"sizes"` // those of them that are in stock
	Fewest     int      `json:"fewest"`
	Most       int      `json:"most"`
	OwnedDays  int      `json:"owned_days"`
}

// taste is what suggestions go by: of somebody who agreed that we remember them.
type taste struct {
	advised bool    // they agreed, and don't object to predictions
	likes   []int64 // categories in which they bought most
	sizes   []string
	owned   map[int64]int // products, and how many days ago they were bought
}

// near is the statement of what a place suggests beside a product, the best first: its rules, then what goes with it and
// can be had. For whoever is known it looks at more of them, and says what their taste needs. It has @language, @list (price
// list) and @store.
func near(place, product string, known bool) string {
	return suggestions(place, known, `''`, `
			SELECT related_id AS id, 'chosen' AS why, (1000 - position)::float8 AS score, position - 1000 AS n
			FROM product_related
			WHERE product_id = `+product+` AND 'chosen' = ANY (slot.sources)
			UNION ALL
			(SELECT other_id, why, score, position
			FROM goes_with
			WHERE product_id = `+product+` AND why = ANY (slot.sources)
			ORDER BY position
			LIMIT `+looked(known)+`)`)
}

// together is the same beside several products, @products: each with the one of them that it goes best with.
func together(place string) string {
	return suggestions(place, true, `coalesce((
			SELECT coalesce(because.titles ->> @language, because.title)
			FROM product_card because
			WHERE because.product_id = near.because AND because.price_list_id = @list AND `+holds("because")+`), '')`, recommend.Together+looked(true))
}

// looked is how many are looked at for the few that are shown: more where rules or a person leave some out.
func looked(known bool) string {
	least := 8
	if known {
		least = 24
	}
	return fmt.Sprintf(`CASE WHEN slot.only_in <> '{}' OR slot.never_in <> '{}' OR slot.in_store THEN 200
				ELSE greatest(slot.most + 4, %d) END`, least)
}

// suggestions is another statement for whoever is known, and not one with an argument that says so: such a one is planned
// anew each time, which costs more than running it.
func suggestions(place string, known bool, because, named string) string {
	sized, from := `NULL::text[] AS comes, NULL::text[] AS sizes, NULL::bigint[] AS categories`, ``
	if known {
		sized, from = `sized.comes, sized.sizes, card.categories`, `
		CROSS JOIN LATERAL (
			SELECT array_agg(DISTINCT split_part(choice, chr(31), 2)) AS comes,
				array_agg(DISTINCT split_part(choice, chr(31), 2)) FILTER (WHERE EXISTS (
					SELECT FROM in_stock WHERE product_id = near.id AND variant_id = v.id)) AS sizes
			FROM unnest(card.variants, card.choices) AS v (id, choices)
			CROSS JOIN LATERAL unnest(string_to_array(v.choices, chr(30))) AS choice
			WHERE starts_with(choice, 'Size' || chr(31))) sized`
	}
	return `
		SELECT card.product_id AS id, card.slug, coalesce(card.titles ->> @language, card.title) AS title, card.picture,
			near.why, ` + because + ` AS because, near.score, ` + sized + `,
			slot.fewest, slot.most, slot.owned_days
		FROM slot_rules('` + place + `') slot
		CROSS JOIN LATERAL (` + named + `) near
		JOIN product_card card ON card.product_id = near.id AND card.price_list_id = @list AND ` + holds("card") + from + `
		WHERE (slot.only_in = '{}' OR card.categories && slot.only_in) AND NOT card.categories && slot.never_in
			AND (EXISTS (
					SELECT FROM in_stock WHERE product_id = near.id AND (NOT slot.in_store OR location_id = @store))
				OR card.always <> '{}' AND NOT slot.in_store)
		ORDER BY near.n
		LIMIT 24`
}

// suggested picks those that are shown: what was chosen by hand, then by source what goes with it best, what is of a
// department that they like somewhat better. What lies in their cart, what they have, and what is gone in their size is
// left out; few that nobody chose are not worth the place.
func (v *Visit) suggested(all []Neighbour) (kept []Neighbour) {
	seen := slices.Clone(v.InCart)
	for _, n := range all {
		days, owned := v.taste.owned[n.ID]
		if slices.Contains(seen, n.ID) || owned && days < n.OwnedDays || v.taste.goneInTheirSize(n) {
			continue
		}
		seen = append(seen, n.ID)
		if v.reference != nil && slices.ContainsFunc(v.reference.Above(n.Categories), func(id int64) bool {
			return slices.Contains(v.taste.likes, id)
		}) {
			n.Score *= 1.5
		}
		kept = append(kept, n)
	}
	slices.SortStableFunc(kept, func(a, b Neighbour) int {
		return cmp.Or(cmp.Compare(slices.Index(recommend.Sources, a.Why), slices.Index(recommend.Sources, b.Why)),
			cmp.Compare(b.Score, a.Score))
	})
	if len(kept) == 0 || len(kept) < kept[0].Fewest && kept[0].Why != recommend.Chosen {
		return nil
	}
	return kept[:min(kept[0].Most, len(kept))]
}

// goneInTheirSize says whether it is made in a size of theirs, and none of those is in stock.
func (t taste) goneInTheirSize(n Neighbour) bool {
	made := false
	for _, size := range t.sizes {
		if slices.Contains(n.Sizes, size) {
			return false
		}
		made = made || slices.Contains(n.Comes, size)
	}
	return made
}

var (
	besideCart   = besideStatement(recommend.InCart)
	besideOrder  = besideStatement(recommend.OnOrder)
	besideSearch = besideStatement(recommend.OnSearch)
)

func besideStatement(place string) pg.Statement {
	return pg.Named(together(place), "language", "list", "store", "products")
}

// queueBeside asks what a place suggests beside several products together, and with which of them each goes best.
func (v *Visit) queueBeside(batch *pgx.Batch, statement pg.Statement, products []int64, language string, goes *[]Neighbour) {
	if v.reference == nil || len(products) == 0 {
		return
	}
	statement.Queue(batch, pgx.NamedArgs{"language": language, "list": v.reference.PriceLists[v.Store.ID],
		"store": v.Store.ID, "products": products}).Query(func(rows pgx.Rows) error {
		all, err := pgx.CollectRows(rows, pgx.RowToStructByNameLax[Neighbour])
		*goes = v.suggested(all)
		return err
	})
}

// BesideCart is what a person saved for later, and, in a language, what goes with what lies in their cart.
func BesideCart(ctx context.Context, db pg.DB, visit *Visit, language string) (later []profile.ViewedProduct, goes []Neighbour, err error) {
	batch := &pgx.Batch{}
	profile.QueueWishes(batch, visit.CustomerID, visit.Store.ID, cart.Later, &later)
	visit.queueBeside(batch, besideCart, visit.InCart, language, &goes)
	return later, goes, wrap(db.SendBatch(ctx, batch).Close())
}

// BesideSearch is what goes, in a language, with what lies in the cart of whoever found nothing, or else with what they
// looked at last.
func BesideSearch(ctx context.Context, db pg.DB, who Visitor, language string) (goes []Neighbour, err error) {
	who.Taste = true
	visit, err := VisitOf(ctx, db, who)
	if err != nil {
		return nil, err
	}
	products := visit.InCart
	if len(products) == 0 && visit.taste.advised {
		rows, err := db.Query(ctx, `
			SELECT e.product_id
			FROM person_members($1) AS member
			JOIN identity i ON i.customer_id = member AND i.kind = 'device' AND i.verified_at IS NOT NULL
			JOIN browse_event e ON e.device = i.value AND e.kind = 'viewed'
			GROUP BY e.product_id
			ORDER BY max(e.at) DESC
			LIMIT 4`, visit.CustomerID)
		if err != nil {
			return nil, fmt.Errorf("read what somebody looked at: %w", err)
		}
		if products, err = pgx.CollectRows(rows, pgx.RowTo[int64]); err != nil {
			return nil, err
		}
	}
	if len(products) == 0 {
		return nil, nil
	}
	batch := &pgx.Batch{}
	visit.queueBeside(batch, besideSearch, products, language, &goes)
	if err := db.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("read what to suggest where nothing was found: %w", err)
	}
	return goes, nil
}

// BesideOrder is what goes with what an order has, in a language: by the order alone, because whoever has its link reads
// it.
func BesideOrder(ctx context.Context, db pg.DB, o *Order, visit *Visit, language string) (goes []Neighbour, err error) {
	if o.State == "cancelled" || visit.reference == nil {
		return nil, nil
	}
	products := make([]int64, len(o.Lines))
	for i, line := range o.Lines {
		products[i] = line.ProductID
	}
	anybody := Visit{Store: visit.Store, reference: visit.reference}
	batch := &pgx.Batch{}
	anybody.queueBeside(batch, besideOrder, products, language, &goes)
	if err := db.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("read what goes with an order: %w", err)
	}
	return goes, nil
}
