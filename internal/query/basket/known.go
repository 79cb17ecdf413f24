package basket

import (
	"counterpart/internal/domain/location"
	"slices"
)

// knownStores takes the stores that the cart names from what the process knows. False where one of them is not among
// those that are open.
func (l *loading) knownStores() bool {
	known := l.here.Known
	ids := []int64{l.head.HomeID}
	named := []int64{l.head.StoreID, l.here.LocationID}
	for _, line := range l.Lines {
		named = append(named, line.LocationID)
	}
	for _, id := range named {
		if id != 0 && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	if l.head.Ways {
		for _, at := range known.Locations {
			if at.Ship && !slices.Contains(ids, at.ID) {
				ids = append(ids, at.ID)
			}
		}
	}
	var stores []location.Location
	for _, id := range ids {
		at := known.At(id)
		if at == nil {
			return false
		}
		stores = append(stores, *at)
	}
	l.stores = stores
	return true
}

// knownPromotions takes those that apply by themselves from what the process knows. False where it has to be counted how
// often one was used, or codes were typed.
func (l *loading) knownPromotions() bool {
	known := l.here.Known
	if len(l.Codes)+len(known.Limited)+len(known.Personal) > 0 {
		return false
	}
	for _, p := range known.Open(l.Now, nil) {
		l.promotions = append(l.promotions, p.InQuote())
	}
	return true
}
