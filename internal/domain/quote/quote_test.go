package quote

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/tax"
	"counterpart/internal/platform/money"
)

var (
	vat     = tax.Rate{Name: "VAT", PPM: 200_000}
	anybody = []Level{LineLevel, OrderLevel, ShippingLevel}
	noon    = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) // a Tuesday
	london  = Place{Currency: "GBP", TaxIncluded: true}
)

// promotion with no end to its budget, which goes together with everything.
func promotion(id int64, rule Rule) Promotion {
	return Promotion{ID: id, Title: "Promotion " + strconv.FormatInt(id, 10), With: anybody, Budget: -1, Rule: rule}
}

func goods(prices ...int64) (items []Item) {
	for i, price := range prices {
		items = append(items, Item{VariantID: int64(i + 1), ProductID: int64(i + 1), Quantity: 1, UnitPrice: price,
			Rate: vat, Method: Pickup})
	}
	return items
}

func in(items []Item, promotions ...Promotion) Input {
	return Input{Place: london, Now: noon, Items: items, Promotions: promotions}
}

func paid(q Quote) (all []int64) {
	for _, line := range q.Lines {
		for _, unit := range line.Units {
			all = append(all, unit.Paid)
		}
	}
	return all
}

func TestTaxIsIncludedInBritainAndAddedInNewYork(t *testing.T) {
	leeds := Price(in([]Item{{Quantity: 3, UnitPrice: 999, Rate: vat}}))
	require.Equal(t, int64(2997), leeds.Total)
	require.Equal(t, int64(500), leeds.Tax)

	brooklyn := Price(Input{Place: Place{Currency: "USD"}, Items: []Item{{Quantity: 3, UnitPrice: 999,
		Rate: tax.Rate{Name: "Sales tax", PPM: 88_750}}}})
	require.Equal(t, int64(266), brooklyn.Tax)
	require.Equal(t, int64(3263), brooklyn.Total)
}

// Each of these went wrong by a cent, or a pound, in a shop system that is in use.
func TestTheSpareCentGoesWhereSomethingIsPaid(t *testing.T) {
	for name, c := range map[string]struct {
		prices []int64
		off    int64
		want   []int64
	}{
		"a free piece gets none of it":        {[]int64{0, 100, 100, 100}, 100, []int64{0, 66, 67, 67}},
		"nor does a free last one":            {[]int64{1000, 1000, 1000, 0}, 1000, []int64{666, 667, 667, 0}},
		"the order of the lines says nothing": {[]int64{0, 1000, 1000, 1000}, 1000, []int64{0, 666, 667, 667}},
		"a third of a hundred":                {[]int64{10000, 10000, 10000}, 10000, []int64{6666, 6667, 6667}},
		"more than there is":                  {[]int64{100, 50}, 500, []int64{0, 0}},
		"one penny over three":                {[]int64{5, 5, 5}, 1, []int64{4, 5, 5}},
	} {
		q := Price(in(goods(c.prices...), promotion(1, Rule{Effect: Effect{Kind: Amount, Amount: c.off}})))

		require.Equal(t, c.want, paid(q), name)
		require.Equal(t, q.Sum-q.Discount, q.Total, name)
	}
}

func TestEffects(t *testing.T) {
	for name, c := range map[string]struct {
		prices []int64
		rule   Rule
		want   []int64
	}{
		"12.5 % off everything": {[]int64{1000, 333}, Rule{Effect: Effect{Kind: Percent, Percent: 1250}},
			[]int64{875, 291}},
		"100 % off leaves nothing": {[]int64{999, 1, 333}, Rule{Effect: Effect{Kind: Percent, Percent: 10000}},
			[]int64{0, 0, 0}},
		"20 % off one product": {[]int64{1000, 1000},
			Rule{Products: []int64{2}, Effect: Effect{Kind: Percent, Percent: 2000}}, []int64{1000, 800}},
		"each for £5": {[]int64{1000, 400},
			Rule{Products: []int64{1, 2}, Effect: Effect{Kind: FixedPrice, Amount: 500}}, []int64{500, 400}},
		"buy two get one": {[]int64{500, 300, 900},
			Rule{Effect: Effect{Kind: BuyGet, Buy: 2, Get: 1, Percent: 10000}}, []int64{500, 0, 900}},
		"buy one get one half price": {[]int64{500, 300, 900, 301},
			Rule{Effect: Effect{Kind: BuyGet, Buy: 1, Get: 1, Percent: 5000}}, []int64{250, 150, 900, 301}},
		"the cheapest is free": {[]int64{500, 300, 900},
			Rule{Quantity: 3, Effect: Effect{Kind: CheapestFree}}, []int64{500, 0, 900}},
		"three for £10": {[]int64{500, 400, 400, 200},
			Rule{Effect: Effect{Kind: Bundle, Pieces: 3, Amount: 1000}}, []int64{384, 308, 308, 200}},
		"a set that is cheaper without": {[]int64{100, 100, 100},
			Rule{Effect: Effect{Kind: Bundle, Pieces: 3, Amount: 1000}}, []int64{100, 100, 100}},
		"teapot and cup together": {[]int64{2000, 500, 700},
			Rule{Products: []int64{1, 2}, Effect: Effect{Kind: Bundle, Amount: 2000}}, []int64{1600, 400, 700}},
		"spend more, save more: nothing": {[]int64{4000}, Rule{Effect: Effect{Kind: TieredSpend,
			Steps: []Step{{From: 5000, Amount: 500}, {From: 10000, Percent: 1500}}}}, []int64{4000}},
		"spend more, save more: first": {[]int64{6000}, Rule{Effect: Effect{Kind: TieredSpend,
			Steps: []Step{{From: 5000, Amount: 500}, {From: 10000, Percent: 1500}}}}, []int64{5500}},
		"spend more, save more: second": {[]int64{10000}, Rule{Effect: Effect{Kind: TieredSpend,
			Steps: []Step{{From: 5000, Amount: 500}, {From: 10000, Percent: 1500}}}}, []int64{8500}},
	} {
		q := Price(in(goods(c.prices...), promotion(1, c.rule)))

		require.Equal(t, c.want, paid(q), name)
	}
}

func TestAGiftIsALineThatCostsNothing(t *testing.T) {
	gift := promotion(1, Rule{Subtotal: 5000, Effect: Effect{Kind: Gift, Variant: 9}})
	with := in(goods(6000), gift)
	with.Gifts = []Item{{VariantID: 9, Quantity: 1, UnitPrice: 1200, Rate: vat}}

	q := Price(with)
	require.Len(t, q.Lines, 2)
	require.True(t, q.Lines[1].Gift)
	require.Equal(t, []int64{6000, 0}, paid(q))
	require.Equal(t, int64(1200), q.Discount)

	with.Gifts = nil
	q = Price(with)
	require.Equal(t, "The gift is out of stock", q.Missed[0].Why.In("en"))
}

func TestDeliveryCanBeCheaperOrFree(t *testing.T) {
	with := in(goods(6000), promotion(1, Rule{Subtotal: 5000, Effect: Effect{Kind: CheaperDelivery, Percent: 10000}}))
	with.Deliveries = []Delivery{{Charge: 395, Rate: vat}}

	q := Price(with)

	require.Zero(t, q.Shipping)
	require.Equal(t, int64(6000), q.Total)
	require.Equal(t, ShippingLevel, q.Discounts[0].Level)

	with.Promotions = nil
	q = Price(with)
	require.Equal(t, int64(6395), q.Total)
	require.Equal(t, int64(1000+66), q.Tax)
}

func TestPricesByQuantityAndForMembers(t *testing.T) {
	item := Item{Quantity: 5, UnitPrice: 1000, Breaks: []Break{{From: 6, Amount: 800},
		{From: 1, Members: true, Amount: 950}}, Rate: vat}

	require.Equal(t, int64(5000), Price(in([]Item{item})).Total)
	member := in([]Item{item})
	member.Shopper.Member = true
	require.Equal(t, int64(4750), Price(member).Total)
	item.Quantity = 6
	require.Equal(t, int64(4800), Price(in([]Item{item})).Total)
}

func TestItSaysWhyNot(t *testing.T) {
	for want, change := range map[string]func(*Promotion){
		"Spend £12.50 more": func(p *Promotion) { p.Subtotal = 2250 },
		"Add 2 more":        func(p *Promotion) { p.Quantity = 3 },
		"Only for Gold and Silver members": func(p *Promotion) {
			p.Tiers = []string{"Gold",
				"Silver"}
		},
		"Ended on Sunday": func(p *Promotion) { p.Ends = noon.Add(-50 * time.Hour) },
		"Starts on 1 December 2026": func(p *Promotion) {
			p.Starts = time.Date(2026, 12,
				1, 0, 0, 0, 0, time.UTC)
		},
		"Only on Fridays and Saturdays": func(p *Promotion) { p.Weekdays = []int{6, 5} },
		"Only from 14:00 to 16:00": func(p *Promotion) {
			p.From, p.Until = 14*60,
				16*60
		},
		"Needs a code":                                             func(p *Promotion) { p.NeedsCode = true },
		"Only in stores with prices in EUR":                        func(p *Promotion) { p.Currency = "EUR" },
		"First order only":                                         func(p *Promotion) { p.FirstOrder = true },
		"Only for selected customers":                              func(p *Promotion) { p.Segments = []string{"vip"} },
		"No eligible items in the cart":                            func(p *Promotion) { p.Categories = []int64{77} },
		"This offer has been fully redeemed":                       func(p *Promotion) { p.Budget = 99 },
		"Not available at this store, or for this delivery method": func(p *Promotion) { p.Methods = []string{Ship} },
	} {
		p := promotion(1, Rule{Effect: Effect{Kind: Percent, Percent: 1000}})
		change(&p)
		input := in(goods(1000), p)
		input.Shopper.Returned = true

		q := Price(input)

		require.Len(t, q.Missed, 1, want)
		require.Equal(t, want, q.Missed[0].Why.In("en"))
		require.Equal(t, int64(1000), q.Total, want)
	}
}

// What a shopkeeper can write by mistake, or across midnight.
func TestOddRulesHoldToo(t *testing.T) {
	same := promotion(1, Rule{Products: []int64{1, 1}, Effect: Effect{Kind: Bundle, Amount: 1500}})
	q := Price(in(goods(1000), same))
	require.Equal(t, int64(1000), q.Total, "one thing named twice is no set")
	pair := promotion(1, Rule{Products: []int64{1, 2}, Effect: Effect{Kind: Bundle, Amount: 1500}})
	q = Price(in(goods(1000), pair))
	require.Equal(t, "Add the rest of the set", q.Missed[0].Why.In("en"))
	require.True(t, q.Missed[0].Near)

	night := promotion(1, Rule{Weekdays: []int{2}, From: 22 * 60, Until: 2 * 60,
		Effect: Effect{Kind: Percent, Percent: 1000}})
	for at, total := range map[time.Time]int64{noon: 1000, noon.Add(11 * time.Hour): 900, noon.Add(13 * time.Hour): 900,
		noon.Add(15 * time.Hour): 1000, noon.Add(-11 * time.Hour): 1000} {
		input := in(goods(1000), night)
		input.Now = at
		require.Equal(t, total, Price(input).Total, "a Tuesday night at %v", at)
	}

	delivered := in(goods(1000), promotion(1, Rule{Effect: Effect{Kind: CheaperDelivery, Percent: 5000, Amount: 500}}))
	delivered.Deliveries = []Delivery{{Charge: 400}}
	require.Equal(t, int64(1200), Price(delivered).Total, "an amount of another kind of effect says nothing")

	input := in(goods(1000, 1000), promotion(1, Rule{Products: []int64{1}, Effect: Effect{Kind: Points, Times: 3}}))
	q = Price(input)
	_, earned := q.AllocatePoints(0, 1)
	require.Equal(t, [][]int64{{30}, {10}}, earned, "three times the points on one of them")

	free := promotion(1, Rule{Products: []int64{1}, Effect: Effect{Kind: Percent, Percent: 10000}})
	cheapest := promotion(2, Rule{Quantity: 2, Effect: Effect{Kind: CheapestFree}})
	q = Price(in(goods(100, 500, 400), free, cheapest))
	require.Equal(t, []int64{0, 500, 0}, paid(q), "what is free already is not given again")

	two := []Promotion{promotion(1, Rule{Effect: Effect{Kind: Gift, Variant: 9}}),
		promotion(2, Rule{Effect: Effect{Kind: Gift, Variant: 9}})}
	with := in(goods(1000), two...)
	with.Gifts = []Item{{VariantID: 9, Quantity: 1, UnitPrice: 300, Rate: vat}}
	q = Price(with)
	require.Len(t, q.Lines, 2, "there is one")
	require.Equal(t, "The gift is out of stock", q.Missed[0].Why.In("en"))
	require.Equal(t, 1, with.Gifts[0].Quantity, "who asked keeps their list")

	vip := in(goods(1000), promotion(1, Rule{Segments: []string{"VIP"}, Tiers: []string{"gold"},
		Effect: Effect{Kind: Percent, Percent: 1000}}))
	vip.Shopper = Shopper{Tags: []string{"vip"}, Tier: "Gold"}
	require.Equal(t, int64(900), Price(vip).Total, "letters are letters")

	tiered := in(goods(1000))
	tiered.Items[0].Breaks = []Break{{From: 1, Members: true, Amount: 950}, {From: 1, Members: true, Tier: "gold", Amount: 800}}
	for _, who := range []struct {
		member bool
		tier   string
		pays   int64
	}{{true, "Gold", 800}, {true, "Silver", 950}, {true, "", 950}, {false, "Gold", 1000}} {
		tiered.Shopper = Shopper{Member: who.member, Tier: who.tier}
		require.Equal(t, who.pays, Price(tiered).Total, who)
	}

	chosen := in(goods(1000))
	chosen.Items[0].Breaks = []Break{{From: 1, Segment: 7, Amount: 900}, {From: 1, Members: true, Segment: 8, Amount: 700}}
	for _, who := range []struct {
		member   bool
		segments []int64
		pays     int64
	}{{false, []int64{7}, 900}, {false, []int64{8}, 1000}, {true, []int64{7, 8}, 700}, {true, nil, 1000}} {
		chosen.Shopper = Shopper{Member: who.member, Segments: who.segments}
		require.Equal(t, who.pays, Price(chosen).Total, who)
	}
}

func TestSomeDoNotGoTogether(t *testing.T) {
	first := promotion(1, Rule{Effect: Effect{Kind: Percent, Percent: 2000}})
	first.Code, first.Priority = "SUMMER20", 5
	second := promotion(2, Rule{Effect: Effect{Kind: Amount, Amount: 100}})
	third := promotion(3, Rule{Effect: Effect{Kind: Amount, Amount: 50}})
	first.Group, second.Group = "codes", "codes"

	q := Price(in(goods(1000), second, third, first))

	require.Equal(t, int64(750), q.Total)
	require.Equal(t, "Can’t be combined with SUMMER20", q.Missed[0].Why.In("en"))

	alone := promotion(4, Rule{Effect: Effect{Kind: Amount, Amount: 10}})
	alone.With = []Level{LineLevel}
	q = Price(in(goods(1000), third, alone))
	require.Equal(t, int64(950), q.Total, "what goes with line discounts only does not go with an order's")
}

func TestPointsAreEarnedOnWhatIsPaidOtherwise(t *testing.T) {
	q := Price(in(append(goods(1000, 550), Item{Quantity: 1, UnitPrice: 5000, LikeMoney: true}),
		promotion(1, Rule{Effect: Effect{Kind: Points, Times: 2}})))

	byPoints, earned := q.AllocatePoints(300, 1)

	require.Equal(t, int64(1550), q.PayableByPoints())
	require.Equal(t, [][]int64{{194}, {106}, {0}}, byPoints)
	require.Equal(t, [][]int64{{16}, {9}, {0}}, earned, "£12.50 earn 25 points at two a pound, a gift card none")
}

// TestProperties asks ten thousand random carts, two hundred thousand in the long form, whether they add up. The seed
// is printed, and SEED gives it back.
func TestProperties(t *testing.T) {
	carts := 10_000
	if os.Getenv("TORTURE") != "" {
		carts = 200_000
	}
	seed := uint64(time.Now().UnixNano())
	if given := os.Getenv("SEED"); given != "" {
		seed, _ = strconv.ParseUint(given, 10, 64)
	}
	fmt.Printf("quote properties: %d carts, SEED=%d\n", carts, seed)
	r := rand.New(rand.NewPCG(seed, 0))
	pieces, applied := 0, map[string]int{}
	for n := range carts {
		input := randomInput(r)
		q := Price(input)
		sound(t, input, q)
		for _, d := range q.Discounts {
			applied[d.Promotion.Effect.Kind]++
		}
		for _, l := range q.Lines {
			pieces += len(l.Units)
		}

		shuffled := input
		shuffled.Promotions = slices.Clone(input.Promotions)
		r.Shuffle(len(shuffled.Promotions), func(i, j int) {
			shuffled.Promotions[i], shuffled.Promotions[j] = shuffled.Promotions[j], shuffled.Promotions[i]
		})
		again := Price(shuffled)
		require.Equal(t, q.Lines, again.Lines, "the order of codes says nothing: cart %d of SEED=%d", n, seed)
		require.Equal(t, q.Total, again.Total)
	}
	require.Len(t, applied, 10, "every kind of effect applied somewhere")
	t.Logf("%d carts, %d pieces, SEED=%d, applied %v", carts, pieces, seed, applied)
}

// sound asks whether a quote adds up in every direction.
func sound(t *testing.T, input Input, q Quote) {
	t.Helper()
	var sum, discount, taxes, units, shipping int64
	given := map[[2]int]int64{}
	for _, d := range q.Discounts {
		total := int64(0)
		for _, s := range d.Shares {
			total += s.Amount
			if d.Level != ShippingLevel {
				given[[2]int{s.Line, s.N}] += s.Amount
			}
			require.Positive(t, s.Amount)
		}
		require.Equal(t, d.Amount, total, "a discount is the sum of its shares")
	}
	for i, line := range q.Lines {
		var lineUnits, lineTax, lineOff int64
		require.Len(t, line.Units, line.Quantity)
		for k, unit := range line.Units {
			require.True(t, unit.Discount >= 0 && unit.Discount <= line.UnitPrice, "0 ≤ discount ≤ gross")
			require.Equal(t, given[[2]int{i, k}], unit.Discount, "a piece's discount is the sum of its shares")
			require.True(t, unit.Tax >= 0 && unit.Tax <= unit.Paid)
			lineUnits, lineTax, lineOff = lineUnits+unit.Paid, lineTax+unit.Tax, lineOff+unit.Discount
		}
		want := line.Amount - line.Discount
		if !q.TaxIncluded {
			want += line.Tax
		}
		require.Equal(t, want, lineUnits, "a line is the sum of its pieces")
		require.Equal(t, []int64{line.Tax, line.Discount}, []int64{lineTax, lineOff})
		sum, discount, taxes, units = sum+line.Amount, discount+line.Discount, taxes+line.Tax, units+lineUnits
	}
	for _, d := range q.Deliveries {
		require.True(t, d.Discount >= 0 && d.Discount <= d.Charge)
		shipping, taxes = shipping+d.Paid, taxes+d.Tax
	}
	rates := int64(0)
	for _, line := range q.Taxes {
		rates += line.Amount
	}
	require.Equal(t, []int64{sum, discount, taxes, taxes}, []int64{q.Sum, q.Discount, q.Tax, rates},
		"the header is the sum of the lines")
	require.Equal(t, units+shipping, q.Total, "the total is what the pieces and the delivery cost")
	require.GreaterOrEqual(t, q.Total, int64(0))
	for _, d := range q.Discounts {
		if e := d.Promotion.Effect; e.Kind == Percent && e.Percent == whole && !d.Promotion.selects() &&
			len(d.Promotion.Locations)+len(d.Promotion.Methods) == 0 && !likeMoney(input) {
			require.Zero(t, units, "100 %% off is exactly nothing")
		}
	}

	byPoints := min(q.PayableByPoints(), units/3)
	parts, earned := q.AllocatePoints(byPoints, 3)
	total, points := int64(0), int64(0)
	for i, line := range q.Lines {
		for k, unit := range line.Units {
			require.True(t, parts[i][k] >= 0 && parts[i][k] <= unit.Paid && earned[i][k] >= 0)
			total, points = total+parts[i][k], points+earned[i][k]
		}
	}
	require.Equal(t, byPoints, total)
	most := int64(1)
	for _, line := range q.Lines {
		most = max(most, int64(line.Times))
	}
	require.LessOrEqual(t, points, (q.PayableByPoints()-byPoints)*3*most)
}

func likeMoney(input Input) bool {
	return slices.ContainsFunc(input.Items, func(i Item) bool { return i.LikeMoney })
}

func randomInput(r *rand.Rand) Input {
	currency := []string{"GBP", "JPY", "KWD", "EUR"}[r.IntN(4)]
	input := Input{Place: Place{Currency: currency, TaxIncluded: r.IntN(2) == 0}, Now: noon,
		Shopper: Shopper{Member: r.IntN(2) == 0, Tier: []string{"", "Gold"}[r.IntN(2)], Returned: r.IntN(2) == 0}}
	rates := []tax.Rate{{Name: "Zero"}, {Name: "Reduced", PPM: 50_000}, {Name: "City", PPM: 88_750}, vat,
		{Name: "High", PPM: 270_000}}
	for range 1 + r.IntN(50) {
		item := Item{
			VariantID: int64(r.IntN(40)), ProductID: int64(r.IntN(10)), Categories: []int64{int64(r.IntN(4))},
			Tags:     []string{[]string{"sale", "new", "old"}[r.IntN(3)]},
			Quantity: 1 + r.IntN(1+r.IntN(6)), UnitPrice: price(r), Rate: rates[r.IntN(len(rates))],
			Method: []string{Pickup, Ship, CarryOut}[r.IntN(3)], LocationID: int64(1 + r.IntN(3)),
			LikeMoney: r.IntN(30) == 0,
		}
		if r.IntN(4) == 0 {
			item.Breaks = []Break{{From: 2, Members: r.IntN(2) == 0, Amount: item.UnitPrice * 9 / 10},
				{From: 1, Members: true, Tier: "gold", Amount: item.UnitPrice * 8 / 10}}
		}
		input.Items = append(input.Items, item)
	}
	for range r.IntN(3) {
		input.Deliveries = append(input.Deliveries, Delivery{Charge: price(r) / 10, Rate: rates[r.IntN(len(rates))]})
	}
	input.Gifts = []Item{{VariantID: 99, Quantity: r.IntN(3), UnitPrice: price(r), Rate: vat}}
	for id := range r.IntN(6) {
		input.Promotions = append(input.Promotions, randomPromotion(r, int64(id+1)))
	}
	return input
}

func price(r *rand.Rand) int64 {
	switch r.IntN(10) {
	case 0:
		return 0
	case 1:
		return r.Int64N(money.MaxUnit)
	}
	return r.Int64N(20_000)
}

func randomPromotion(r *rand.Rand, id int64) Promotion {
	kinds := []string{Percent, Amount, FixedPrice, BuyGet, CheapestFree, Bundle, TieredSpend, CheaperDelivery, Gift,
		Points}
	p := promotion(id, Rule{Effect: Effect{
		Kind: kinds[r.IntN(len(kinds))], Percent: []int64{1, 333, 1250, 5000,
			10000}[r.IntN(5)], Amount: price(r), Buy: 1 + r.IntN(3), Get: 1 + r.IntN(2), Pieces: r.IntN(4),
		Steps: []Step{{From: 1000, Amount: 99}, {From: 9000, Percent: 1500}}, Variant: 99, Times: 2 + r.IntN(3),
	}})
	p.Priority = r.IntN(3)
	switch r.IntN(6) {
	case 0:
		p.Products = []int64{int64(r.IntN(10)), int64(10 + r.IntN(3))}[:1+r.IntN(2)]
	case 1:
		p.Categories = []int64{int64(r.IntN(4))}
	case 2:
		p.Tags = []string{"sale"}
	case 3:
		p.Subtotal = price(r)
	case 4:
		p.Quantity = r.IntN(8)
	}
	if r.IntN(4) == 0 {
		p.Methods = []string{Pickup, Ship}[:1+r.IntN(2)]
	}
	if r.IntN(4) == 0 {
		p.Group = "one"
	}
	if r.IntN(5) == 0 {
		p.With = p.With[:1+r.IntN(2)]
	}
	if r.IntN(6) == 0 {
		p.Budget = price(r)
	}
	if r.IntN(3) == 0 {
		p.Code = "CODE" + strconv.Itoa(r.IntN(3))
	}
	return p
}
