package quote

import (
	"cmp"
	"slices"

	"counterpart/internal/platform/money"
	"counterpart/internal/platform/text"
)

// apply takes off what a promotion gives, or says why that is nothing.
func (w *work) apply(p *Promotion, pieces []int) {
	e := p.Effect
	switch e.Kind {
	case Percent:
		w.off(p, pieces, share(w.sumOf(pieces), e.Percent))
	case Amount:
		w.off(p, pieces, e.Amount)
	case TieredSpend:
		w.off(p, pieces, w.stepped(e.Steps, pieces))
	case FixedPrice:
		w.offEach(p, pieces, func(left int64) int64 { return left - e.Amount })
	case BuyGet:
		w.offEach(p, w.cheapestOfEach(pieces, e.Buy+e.Get, e.Get),
			func(left int64) int64 { return share(left, e.Percent) })
	case CheapestFree:
		w.offEach(p, w.cheapestOfEach(pieces, len(pieces), 1), func(left int64) int64 { return left })
	case Bundle:
		w.bundle(p, pieces)
	case CheaperDelivery:
		w.offDelivery(p)
	case Gift:
		w.give(p, pieces)
	case Points:
		for _, piece := range pieces {
			line := &w.lines[w.lineOf(piece)]
			line.Times = max(line.Times, e.Times)
		}
		w.took(p, nil, 0)
	default:
		w.miss(p, text.M("No discount on this cart"), false)
	}
}

// share is a part of an amount, rounded half up.
func share(amount, hundredths int64) int64 { return (2*amount*hundredths + whole) / (2 * whole) }

func (w *work) sumOf(pieces []int) (sum int64) {
	for _, piece := range pieces {
		sum += w.left[piece]
	}
	return sum
}

// off takes an amount off units together, never more than is left to pay or in the budget.
func (w *work) off(p *Promotion, pieces []int, amount int64) {
	weights := make([]int64, len(pieces))
	for i, piece := range pieces {
		weights[i] = w.left[piece]
	}
	amount = min(amount, w.sumOf(pieces))
	if amount <= 0 {
		w.miss(p, text.M("No discount on this cart"), false)
		return
	}
	w.take(p, pieces, money.Split(amount, weights), amount)
}

// offEach takes off every unit what a function says.
func (w *work) offEach(p *Promotion, pieces []int, of func(left int64) int64) {
	parts, total := make([]int64, len(pieces)), int64(0)
	for i, piece := range pieces {
		parts[i] = max(0, min(of(w.left[piece]), w.left[piece]))
		total += parts[i]
	}
	if total == 0 {
		w.miss(p, text.M("No discount on this cart"), false)
		return
	}
	w.take(p, pieces, parts, total)
}

// take is the one place where a unit becomes cheaper.
func (w *work) take(p *Promotion, pieces []int, parts []int64, total int64) {
	if p.Budget >= 0 && total > p.Budget {
		w.miss(p, text.M("This offer has been fully redeemed"), false)
		return
	}
	shares := make([]Share, 0, len(pieces))
	for i, piece := range pieces {
		if parts[i] == 0 {
			continue
		}
		w.left[piece] -= parts[i]
		line := w.lineOf(piece)
		shares = append(shares, Share{Line: line, N: piece - w.first[line], Amount: parts[i]})
	}
	w.took(p, shares, total)
}

// lineOf a unit: the last that begins at it or before.
func (w *work) lineOf(piece int) int {
	i, found := slices.BinarySearch(w.first, piece)
	if !found {
		i--
	}
	return i
}

func (w *work) took(p *Promotion, shares []Share, total int64) {
	w.q.Discounts = append(w.q.Discounts, Discount{Promotion: p, Level: p.Level(), Amount: total, Shares: shares})
}

// cheapestOfEach parts the units into full groups, dearest first, and picks the cheapest so many of every group.
func (w *work) cheapestOfEach(pieces []int, group, so int) (picked []int) {
	sorted := w.dearestFirst(pieces)
	for ; group > 0 && len(sorted) >= group; sorted = sorted[group:] {
		picked = append(picked, sorted[group-so:group]...)
	}
	return picked
}

func (w *work) dearestFirst(pieces []int) []int {
	sorted := slices.Clone(pieces)
	slices.SortStableFunc(sorted, func(a, b int) int { return cmp.Compare(w.left[b], w.left[a]) })
	return sorted
}

func (w *work) stepped(steps []Step, pieces []int) (amount int64) {
	total := int64(0)
	for _, piece := range pieces {
		total += w.before[piece]
	}
	for _, step := range steps {
		if total >= step.From {
			amount = max(step.Amount, share(w.sumOf(pieces), step.Percent))
		}
	}
	return amount
}

// bundle sells every full set of units for one price; a set that is cheaper without stays as it is.
func (w *work) bundle(p *Promotion, pieces []int) {
	var all []int
	var parts []int64
	total := int64(0)
	for _, set := range w.sets(p, pieces) {
		off := w.sumOf(set) - p.Effect.Amount
		if off <= 0 {
			continue
		}
		weights := make([]int64, len(set))
		for i, piece := range set {
			weights[i] = w.left[piece]
		}
		all, parts, total = append(all, set...), append(parts, money.Split(off, weights)...), total+off
	}
	if total == 0 {
		w.miss(p, text.M("No discount on this cart"), false)
		return
	}
	w.take(p, all, parts, total)
}

func (w *work) sets(p *Promotion, pieces []int) (sets [][]int) {
	sorted := w.dearestFirst(pieces)
	if n := p.Effect.Pieces; n > 0 {
		for ; len(sorted) >= n; sorted = sorted[n:] {
			sets = append(sets, sorted[:n])
		}
		return sets
	}
	// One of each product.
	products := slices.Compact(slices.Sorted(slices.Values(p.Products)))
	of := map[int64][]int{}
	for i := range w.lines {
		for _, piece := range sorted {
			if piece >= w.first[i] && piece < w.first[i]+w.lines[i].Quantity {
				of[w.lines[i].ProductID] = append(of[w.lines[i].ProductID], piece)
			}
		}
	}
	for n := 0; ; n++ {
		var set []int
		for _, product := range products {
			if n < len(of[product]) {
				set = append(set, of[product][n])
			}
		}
		if len(products) == 0 || len(set) < len(products) {
			return sets
		}
		sets = append(sets, set)
	}
}

func (w *work) offDelivery(p *Promotion) {
	var shares []Share
	total := int64(0)
	for i := range w.ships {
		s := &w.ships[i]
		if off := min(share(s.Charge, p.Effect.Percent), s.Charge-s.Discount); off > 0 {
			shares, total = append(shares, Share{Line: i, Amount: off}), total+off
		}
	}
	switch {
	case len(w.ships) == 0:
		w.miss(p, text.M("Nothing in the cart is delivered"), false)
	case total == 0:
		w.miss(p, text.M("Delivery is already free"), false)
	case p.Budget >= 0 && total > p.Budget:
		w.miss(p, text.M("This offer has been fully redeemed"), false)
	default:
		for _, s := range shares {
			w.ships[s.Line].Discount += s.Amount
		}
		w.took(p, shares, total)
	}
}

// give makes a unit cost nothing: one that the cart has already, where the promotion would apply without it, too; else
// one more, a line like any other with everything taken off.
func (w *work) give(p *Promotion, pieces []int) {
	for i := range w.lines {
		line := &w.lines[i]
		if line.VariantID != p.Effect.Variant || line.Gift || line.LikeMoney {
			continue
		}
		for piece := w.first[i]; piece < w.first[i]+line.Quantity; piece++ {
			without := slices.DeleteFunc(slices.Clone(pieces), func(other int) bool { return other == piece })
			if why, _ := w.short(p, without); w.left[piece] > 0 && why.IsZero() {
				w.take(p, []int{piece}, []int64{w.left[piece]}, w.left[piece])
				return
			}
		}
	}
	for k, item := range w.in.Gifts {
		if item.VariantID != p.Effect.Variant || item.Quantity < 1 {
			continue
		}
		item.Quantity, item.Breaks = 1, nil
		if p.Budget >= 0 && item.UnitPrice > p.Budget {
			break
		}
		w.in.Gifts[k].Quantity-- // Another promotion may give the same.
		i := w.add(item, true)
		piece := w.first[i]
		w.before = append(w.before, 0)
		w.take(p, []int{piece}, []int64{w.left[piece]}, w.left[piece])
		return
	}
	w.miss(p, text.M("The gift is out of stock"), false)
}
