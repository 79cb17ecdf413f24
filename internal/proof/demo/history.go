package demo

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/catalog"
	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/inventory"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/loyalty"
	"counterpart/internal/domain/order"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/payment"
	"counterpart/internal/domain/quote"
	"counterpart/internal/domain/tax"
	"counterpart/internal/flow/settle"
)

var (
	firstNames = []string{"Ada", "Benedict", "Cora", "Dafydd", "Elspeth", "Farah", "Gethin", "Harriet", "Idris",
		"Jemima", "Kwame", "Lorna", "Mateusz", "Niamh", "Oluwaseun", "Petra", "Quentin", "Rosalind", "Sanjay", "Tamsin",
		"Una", "Viktor", "Winifred", "Xanthe", "Yusuf", "Zofia"}
	lastNames = []string{"Abara", "Bracegirdle", "Coyle", "Devereux", "Eccles", "Fairweather", "Gallowglass",
		"Hathersage", "Iwu", "Jessop", "Kestrel", "Lindqvist", "Marchbanks", "Nettleship", "Okonjo",
		"Pemberton-Featherstonehaugh", "Quill", "Rookwood", "Sandhu", "Thistlewood", "Underhill", "Vance", "Whitlock",
		"Yarrow"}
)

const customers = 200

// A sale of the story: who bought what, where and when, and how far it got.
type sale struct {
	customer int
	place    *location.Location
	channel  origin.Channel
	at       time.Time
	lines    []saleLine
	state    string // to_pick, ready, collected
}

type saleLine struct {
	v        variant
	quantity int
}

// history writes a year of orders, oldest first, and what is open today. Everything comes from hashes, counted back
// from now.
func (l *loader) history(ctx context.Context) error {
	now := time.Now().Truncate(time.Second)
	sales := l.sales(now)
	sold := map[[2]int64]int{}
	for _, s := range sales {
		for _, line := range s.lines {
			sold[[2]int64{line.v.id, s.place.ID}] += line.quantity
		}
	}
	if err := l.receive(ctx, sold); err != nil {
		return err
	}
	ids, err := l.customers(ctx)
	if err != nil {
		return err
	}
	for n, s := range sales {
		if err := l.sell(ctx, ids[s.customer], s); err != nil {
			return fmt.Errorf("sale %d: %w", n, err)
		}
		if n%25 == 0 {
			l.progress(0.55 + 0.44*float64(n)/float64(len(sales)))
		}
	}
	if _, err := l.tx.Exec(ctx, `
		UPDATE stock_move
		SET at = now() - interval '380 days'
		WHERE cause = 'receipt'`); err != nil {
		return err
	}
	if err := catalog.CountPopular(ctx, l.tx); err != nil {
		return err
	}
	// The programme began a year ago: points end eighteen months after they could be spent.
	if _, err := l.tx.Exec(ctx, `
		UPDATE programme SET expiry = 'lot', expiry_months = 18, expiry_since = now()::date - 365`); err != nil {
		return fmt.Errorf("set the points programme: %w", err)
	}
	for _, t := range []loyalty.Tier{
		{Title: "Silver", Position: 1, Counts: loyalty.BySpend, Threshold: 250_00, Currency: "GBP", Benefit: "returns for 60 days", ReturnDays: 30},
		{Title: "Gold", Position: 2, Counts: loyalty.BySpend, Threshold: 1_000_00, Currency: "GBP", Benefit: "returns for 90 days, and a person to call",
			ReturnDays: 60, Contact: "0113 496 0199"}} {
		if err := loyalty.SaveTier(ctx, l.tx, &t); err != nil {
			return err
		}
	}
	if err := loyalty.StandAll(ctx, l.tx, now); err != nil {
		return err
	}
	return l.profiles(ctx, ids)
}

func (l *loader) sales(now time.Time) []sale {
	var open []*location.Location
	for i := range l.locations {
		if l.locations[i].Kind == "store" && l.locations[i].Pickup {
			open = append(open, &l.locations[i])
		}
	}
	var sales []sale
	add := func(c, n int, at time.Time, place *location.Location, state string) {
		key := fmt.Sprintf("%d-%d", c, n)
		s := sale{customer: c, place: place, at: at, state: state,
			channel: []origin.Channel{origin.Web, origin.Web, origin.Counter, origin.Phone}[pick(4, "channel", key)]}
		for k := range 1 + pick(3, "lines", key) {
			v := l.variants[pick(uint64(len(l.variants)), "variant", key, fmt.Sprint(k))]
			// Some things are loved more than others.
			if pick(3, "favourite", key, fmt.Sprint(k)) == 0 {
				v = l.variants[pick(40, "loved", key, fmt.Sprint(k))]
			}
			if !slices.ContainsFunc(s.lines, func(line saleLine) bool { return line.v.id == v.id }) {
				s.lines = append(s.lines, saleLine{v, 1 + int(pick(6, "pieces", key, fmt.Sprint(k))/4)})
			}
		}
		sales = append(sales, s)
	}
	for c := range customers {
		home := open[pick(uint64(len(open)), "home", fmt.Sprint(c))]
		for n := range pick(5, "orders", fmt.Sprint(c)) {
			days := 4 + pick(360, "days", fmt.Sprint(c), fmt.Sprint(n))
			add(c, int(n), now.Add(-time.Duration(days)*24*time.Hour-time.Duration(pick(600, "minute", fmt.Sprint(c),
				fmt.Sprint(n)))*time.Minute), home, order.Collected)
		}
	}
	for i, place := range open {
		for n := range 3 + int(pick(4, "queue", place.Code)) {
			state, ago := order.ToPick, time.Duration(pick(150, "ago", place.Code, fmt.Sprint(n)))*time.Minute
			if n%3 == 2 {
				state, ago = order.Ready, ago+20*time.Hour
			}
			add(int(pick(customers, "waiting", place.Code, fmt.Sprint(n))), 1000+100*i+n, now.Add(-ago), place, state)
		}
	}
	slices.SortStableFunc(sales, func(a, b sale) int { return cmp.Compare(a.at.Unix(), b.at.Unix()) })
	return sales
}

func (l *loader) customers(ctx context.Context) (ids []int64, err error) {
	for c := range customers {
		name, email, phone := person(c)
		id, err := customer.Create(ctx, l.tx, name, "en", "web")
		if err != nil {
			return nil, err
		}
		if err := customer.Identify(ctx, l.tx, id, customer.Identity{Kind: customer.Email, Value: email, Source: "web"},
			customer.Identity{Kind: customer.Phone, Value: phone, Source: "web"}); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

func person(c int) (name, email, phone string) {
	first, last := firstNames[c%len(firstNames)], lastNames[(c/len(firstNames)*5+c)%len(lastNames)]
	// Ofcom keeps 07700 900000 to 900999 for fiction.
	return first + " " + last, fmt.Sprintf("%s.%s.%d@example.com", strings.ToLower(first),
		strings.ToLower(strings.ReplaceAll(last, " ", "")), c), fmt.Sprintf("+447700900%03d", c)
}

func (l *loader) sell(ctx context.Context, customerID int64, s sale) error {
	rate := l.rate(s.place)
	var items []quote.Item
	for _, line := range s.lines {
		price := line.v.pence
		switch s.place.Currency {
		case "EUR":
			price = round50(price * 119 / 100)
		case "USD":
			price = round50(price * 112 / 100)
		}
		items = append(items, quote.Item{VariantID: line.v.id, Quantity: line.quantity, UnitPrice: price, Rate: rate})
	}
	q := quote.Price(quote.Input{Place: quote.Place{Currency: s.place.Currency, TaxIncluded: s.place.TaxIncluded},
		Now: s.at, Items: items})
	name, email, phone := person(s.customer)
	readyBy, _ := s.place.ReadyBy(s.at)
	n := order.New{
		CustomerID: customerID, Channel: s.channel, LocationID: s.place.ID, Currency: q.Currency,
		TaxIncluded: q.TaxIncluded, Language: "en", Sum: q.Sum, Tax: q.Tax, Total: q.Total,
		Name: name, Email: email, Phone: phone, PlacedAt: s.at,
		PaymentState: order.Due, Parts: []order.NewFulfilment{{Method: quote.Pickup, LocationID: s.place.ID,
			ReadyBy: &readyBy}},
	}
	_, earned := q.AllocatePoints(0, 1)
	if s.channel != origin.Web {
		n.AssociateID = l.staff[s.place.Code]
	}
	for i, line := range q.Lines {
		v := s.lines[i].v
		nl := order.NewLine{VariantID: v.id, SKU: v.sku, Title: v.title, Options: v.options, Quantity: line.Quantity,
			UnitPrice: line.UnitPrice, ListPrice: line.ListPrice, Amount: line.Amount, Tax: line.Tax,
			TaxName: rate.Name, TaxPPM: rate.PPM}
		for k, unit := range line.Units {
			nl.Units = append(nl.Units, order.Unit{Paid: unit.Paid, Tax: unit.Tax, Points: earned[i][k]})
		}
		n.Lines = append(n.Lines, nl)
	}
	written, err := order.Create(ctx, l.tx, n)
	if err != nil {
		return err
	}
	batch := &pgx.Batch{}
	payment.Queue(batch, written.ID, payment.New{Kind: payment.PayAtPickup, Amount: q.Total})
	customer.Fact{CustomerID: customerID, Kind: customer.Bought, Channel: s.channel, LocationID: s.place.ID,
		OrderID: written.ID}.Queue(batch)
	claims := make([]inventory.Reservation, len(s.lines))
	for i, line := range s.lines {
		claims[i] = inventory.Reservation{OrderLineID: written.Lines[i], VariantID: line.v.id, LocationID: s.place.ID,
			Quantity: line.quantity}
	}
	if short, err := inventory.Reserve(ctx, l.tx, batch, claims); err != nil || len(short) > 0 {
		return fmt.Errorf("reserve (%d short): %w", len(short), err)
	}
	return l.fulfil(ctx, customerID, s, written, q.Total)
}

func (l *loader) rate(place *location.Location) tax.Rate {
	for _, rate := range l.rates {
		if rate.Country == place.Country && rate.Region == place.Region {
			return rate
		}
	}
	panic("demo: no rate for " + place.Code)
}

// fulfil takes a sale as far as its story goes, and sets the clocks of what happened back to when it did.
func (l *loader) fulfil(ctx context.Context, customerID int64, s sale, w order.CreatedOrder, total int64) error {
	if s.state == order.ToPick {
		return nil
	}
	by := l.staff[s.place.Code]
	readyAt := s.at.Add(time.Duration(40+pick(120, "fetch", fmt.Sprint(w.Number))) * time.Minute)
	place := fmt.Sprintf("Shelf %c%d", 'A'+rune(pick(4, "shelf", fmt.Sprint(w.Number))),
		1+pick(6, "box", fmt.Sprint(w.Number)))
	if _, err := order.MarkReady(ctx, l.tx, w.Parts[0], by, place, s.place.KeepUntil(readyAt, 3)); err != nil {
		return err
	}
	collectedAt := readyAt.Add(time.Duration(30+pick(2000, "collect", fmt.Sprint(w.Number))) * time.Minute)
	if s.state == order.Collected {
		if _, err := order.MarkCollected(ctx, l.tx, w.Parts[0], by, "code"); err != nil {
			return err
		}
		kind := []string{payment.Cash, payment.Terminal, payment.Terminal}[pick(3, "tender", fmt.Sprint(w.Number))]
		if err := settle.RecordTender(ctx, l.tx, w.ID, payment.New{Kind: kind, Amount: total,
			AssociateID: by}); err != nil {
			return err
		}
		if err := settle.HandedOver(ctx, l.tx, w.ID, w.Parts[0], customerID); err != nil {
			return err
		}
		if err := customer.Record(ctx, l.tx, customer.Fact{CustomerID: customerID, Kind: customer.Collected,
			Channel: "counter", LocationID: s.place.ID, OrderID: w.ID}); err != nil {
			return err
		}
		if err := inventory.HandOver(ctx, l.tx, w.Lines, inventory.Reason{Channel: "counter",
			AssociateID: by}); err != nil {
			return err
		}
	}
	batch := &pgx.Batch{}
	batch.Queue(`UPDATE fulfilment SET ready_at = $2, collected_at = CASE WHEN collected_at IS NOT NULL THEN $3::timestamptz END WHERE id = $1`, w.Parts[0], readyAt, collectedAt)
	batch.Queue(`UPDATE tender SET at = $2 WHERE order_id = $1`, w.ID, collectedAt)
	batch.Queue(`UPDATE points_lot SET at = $2, vests_at = $2::timestamptz + interval '30 days' WHERE order_id = $1`,
		w.ID, collectedAt)
	batch.Queue(`UPDATE points_entry SET at = $2 WHERE order_id = $1`, w.ID, collectedAt)
	batch.Queue(`UPDATE timeline SET at = CASE kind WHEN 'bought' THEN $2::timestamptz ELSE $3 END WHERE order_id = $1`,
		w.ID, s.at, collectedAt)
	batch.Queue(`UPDATE stock_move SET at = $2 WHERE order_line_id = ANY ($1)`, w.Lines, collectedAt)
	return l.tx.SendBatch(ctx, batch).Close()
}
