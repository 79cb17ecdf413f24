// Package quote is what a cart costs: one pure function for the shop, the counter and whoever asks.
package quote

import (
	"counterpart/internal/money"
	"counterpart/internal/tax"
)

// Item is a line to be priced. UnitPrice is what the price list says, in minor units, with or without tax as the place has it.
type Item struct {
	VariantID int64
	Quantity  int
	UnitPrice int64
	Rate      tax.Rate
}

// Place is where the goods change hands: it decides the currency, and whether prices include tax.
type Place struct {
	Currency    string
	TaxIncluded bool
}

// Unit is one piece: what is paid for it with everything, and the tax in that.
type Unit struct{ Paid, Tax int64 }

// Line is a priced item. Amount is quantity × unit price; its units sum to it exactly, with tax where that comes on top.
type Line struct {
	Item
	Amount int64
	Tax    int64
	Units  []Unit
}

// TaxLine is the tax of one rate, as a receipt shows it.
type TaxLine struct {
	Name   string
	PPM    int64
	Amount int64
}

// Quote is the priced cart.
type Quote struct {
	Place
	Lines []Line
	Sum   int64 // of the lines' amounts
	Tax   int64 // contained in Total when prices include it, else a part of it that came on top
	Taxes []TaxLine
	Total int64
}

// Price computes a quote. Tax is rounded once a line, then divided over its pieces by largest remainder.
func Price(place Place, items []Item) Quote {
	q := Quote{Place: place}
	for _, item := range items {
		line := priceLine(place, item)
		q.Lines = append(q.Lines, line)
		q.Sum += line.Amount
		q.Tax += line.Tax
		q.addTax(line)
	}
	q.Total = q.Sum
	if !place.TaxIncluded {
		q.Total += q.Tax
	}
	return q
}

func priceLine(place Place, item Item) Line {
	line := Line{Item: item, Amount: item.UnitPrice * int64(item.Quantity)}
	if place.TaxIncluded {
		line.Tax = item.Rate.Contained(line.Amount)
	} else {
		line.Tax = item.Rate.OnTop(line.Amount)
	}
	weights := make([]int64, item.Quantity)
	for i := range weights {
		weights[i] = 1
	}
	line.Units = make([]Unit, item.Quantity)
	for i, share := range money.Split(line.Tax, weights) {
		line.Units[i] = Unit{Paid: item.UnitPrice, Tax: share}
		if !place.TaxIncluded {
			line.Units[i].Paid += share
		}
	}
	return line
}

func (q *Quote) addTax(line Line) {
	for i := range q.Taxes {
		if q.Taxes[i].Name == line.Rate.Name && q.Taxes[i].PPM == line.Rate.PPM {
			q.Taxes[i].Amount += line.Tax
			return
		}
	}
	q.Taxes = append(q.Taxes, TaxLine{line.Rate.Name, line.Rate.PPM, line.Tax})
}

// In is an amount of this quote as money.
func (q *Quote) In(minor int64) money.Money { return money.New(minor, q.Currency) }
