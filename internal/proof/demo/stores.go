package demo

import (
	"fmt"
	"time"

	"counterpart/internal/domain/location"
)

// hours are the same from Monday to Saturday but for what days says; preparation in minutes.
func hours(opens, closes, preparation int, days ...location.Hours) []location.Hours {
	var week []location.Hours
	for weekday := 1; weekday <= 6; weekday++ {
		day := location.Hours{Weekday: weekday, Opens: opens * 60, Closes: closes * 60, Preparation: preparation}
		for _, special := range days {
			if special.Weekday == weekday {
				day = special
			}
		}
		if day.Closes > 0 {
			week = append(week, day)
		}
	}
	for _, special := range days {
		if special.Weekday == 7 {
			week = append(week, special)
		}
	}
	return week
}

func day(weekday, opens, closes, preparation int) location.Hours {
	return location.Hours{Weekday: weekday, Opens: opens * 60, Closes: closes * 60, Preparation: preparation}
}

func closed(weekday int) location.Hours { return location.Hours{Weekday: weekday} }

// shopfront is where a British store stands and when it is open.
type shopfront struct {
	code, slug, name, street, town, postcode, phone string
	latitude, longitude                             float64
	week                                            []location.Hours
}

func british(s shopfront) location.Location {
	return location.Location{
		Code: s.code, Slug: s.slug, Kind: "store", Name: s.name, Street: s.street, Town: s.town, Postcode: s.postcode,
		Country: "GB", Phone: s.phone, Latitude: s.latitude, Longitude: s.longitude, TimeZone: "Europe/London",
		Currency: "GBP", TaxIncluded: true, Pickup: true, Ship: true, TakesReturns: true, Hours: s.week,
	}
}

// stores of the chain. Streets are invented; phone numbers are from the ranges kept for fiction.
func stores() []location.Location {
	all := []location.Location{
		british(shopfront{"LDN", "marylebone", "Marylebone", "14 Foundling Row", "London", "W1U 9QX", "+442079460114",
			51.5185,
			-0.1519, hours(9, 20, 60, day(7, 12, 18, 60))}),
		british(shopfront{"LDS", "leeds", "Leeds", "3 Cloth Hall Yard", "Leeds", "LS1 6QD", "+441134960103", 53.7965,
			-1.5429,
			hours(9, 18, 120, day(4, 9, 20, 90), day(7, 11, 17, 120))}),
		british(shopfront{"MAN", "manchester", "Manchester", "27 Weavers Gate", "Manchester", "M2 7XY", "+441614960127",
			53.4811,
			-2.2446, hours(9, 19, 90, day(7, 11, 17, 120))}),
		british(shopfront{"EDI", "edinburgh", "Edinburgh", "8 Lantern Close", "Edinburgh", "EH2 3ZQ", "+441314960108",
			55.9526,
			-3.1961, hours(9, 18, 120, day(4, 9, 19, 120), day(7, 11, 17, 120))}),
		british(shopfront{"BRS", "bristol", "Bristol", "41 Ropewalk", "Bristol", "BS1 4XW", "+441174960141", 51.4523,
			-2.5959,
			hours(9, 18, 120, day(7, 11, 17, 180))}),
		british(shopfront{"BTH", "bath", "Bath", "5 Spindle Court", "Bath", "BA1 1ZX", "+441632960105", 51.3813,
			-2.3597,
			hours(10, 18, 120, day(7, 11, 16, 180))}),
		british(shopfront{"YRK", "york", "York", "19 Candlemaker Gate", "York", "YO1 7ZD", "+441904960119", 53.9591,
			-1.0815,
			hours(9, 17, 180, day(6, 9, 18, 120))}),
		british(shopfront{"NOR", "norwich", "Norwich", "2 Tanner’s Plain", "Norwich", "NR2 1QZ", "+441632960102",
			52.6287, 1.2923,
			hours(9, 17, 240, day(6, 9, 18, 180))}),
		british(shopfront{"CDF", "cardiff", "Cardiff", "33 Harbour Arcade", "Cardiff", "CF10 1ZY", "+442920180133",
			51.4793,
			-3.1771, hours(9, 18, 120, day(7, 11, 17, 120))}),
		british(shopfront{"BTN", "brighton", "Brighton", "12 Shingle Street", "Brighton", "BN1 1QY", "+441632960112",
			50.8220,
			-0.1405, hours(10, 18, 120, day(1, 11, 18, 180), day(7, 11, 17, 120))}),
		british(shopfront{"LUD", "ludlow", "Ludlow", "1 Buttercross Passage", "Ludlow", "SY8 1ZZ", "+441632960101",
			52.3677,
			-2.7188, hours(10, 16, 1440, closed(1), closed(3))}),
		british(shopfront{"STI", "st-ives", "St Ives", "7 Netloft Steps", "St Ives", "TR26 1QX", "+441632960107",
			50.2130,
			-5.4800, hours(10, 17, 180, day(7, 11, 16, 180))}),
		{
			Code: "RIX", Slug: "riga", Kind: "store", Name: "Rīga", Street: "Dzirnavnieku iela 6", Town: "Rīga",
			Postcode: "LV-1010", Country: "LV", Phone: "+37120000106",
			Latitude: 56.9528, Longitude: 24.1133, TimeZone: "Europe/Riga", Currency: "EUR", TaxIncluded: true,
			Pickup: true, Ship: true, TakesReturns: true, Hours: hours(10, 20, 120, day(7, 10, 18, 120)),
		},
		{
			Code: "NYC", Slug: "new-york", Kind: "store", Name: "New York", Street: "210 Cordage Street",
			Town: "New York", Postcode: "10013", Country: "US", Region: "NY", Phone: "+12125550110",
			Latitude: 40.7195, Longitude: -74.0052, TimeZone: "America/New_York", Currency: "USD", Pickup: true,
			Ship: true, TakesReturns: true, Hours: hours(10, 20, 90, day(7, 11, 19, 90)),
		},
		{
			Code: "WH1", Slug: "daventry", Kind: "warehouse", Name: "Daventry warehouse",
			Street: "Unit 9, Carter’s Field", Town: "Daventry", Postcode: "NN11 8ZX", Country: "GB",
			Latitude: 52.2571, Longitude: -1.1640, TimeZone: "Europe/London", Currency: "GBP", TaxIncluded: true,
			Ship: true, Hours: hours(6, 22, 60),
		},
	}
	for i := range all {
		all[i].Special = holidays(all[i].Country, time.Now().In(all[i].Zone()))
		if all[i].Code == "LUD" {
			all[i].Hours = lunch(all[i].Hours)
		}
		if all[i].Code == "STI" {
			all[i].Pickup = false
		}
	}
	return all
}

// lunch closes a small shop from one to two.
func lunch(week []location.Hours) (parted []location.Hours) {
	for _, h := range week {
		morning, afternoon := h, h
		morning.Closes, afternoon.Opens = 13*60, 14*60
		parted = append(parted, morning, afternoon)
	}
	return parted
}

// holidays are the days around Christmas of this year and the next, as the chain keeps them in each country.
func holidays(country string, now time.Time) (all location.Specials) {
	short := []location.Hours{{Opens: 10 * 60, Closes: 16 * 60, Preparation: 120}}
	for _, year := range []int{now.Year(), now.Year() + 1} {
		day := func(month, day int, name string, open []location.Hours) {
			all = append(all, location.Special{Day: fmt.Sprintf("%d-%02d-%02d", year, month, day), Name: name,
				Hours: open})
		}
		day(1, 1, "New Year’s Day", nil)
		if country == "US" {
			day(7, 4, "Independence Day", nil)
		}
		if country == "LV" {
			day(11, 18, "Proclamation Day", nil)
		}
		day(12, 24, "Christmas Eve", short)
		day(12, 25, "Christmas Day", nil)
		if country == "GB" {
			day(12, 26, "Boxing Day", nil)
		}
		day(12, 31, "New Year’s Eve", short)
	}
	return all
}
