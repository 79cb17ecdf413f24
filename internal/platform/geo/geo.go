// Package geo says how far a shopper is from a store, from a postcode or a town, without asking anybody outside.
package geo

import (
	_ "embed"
	"math"
	"strconv"
	"strings"
	"sync"
)

// Point is a place on earth, WGS 84, in degrees.
type Point struct{ Latitude, Longitude float64 }

// Kilometres is the great-circle distance by the haversine formula on a sphere of 6,371 km: good to 0.5 %.
func (p Point) Kilometres(q Point) float64 {
	const radius = 6371.0
	rad := func(degrees float64) float64 { return degrees * math.Pi / 180 }
	dLat, dLon := rad(q.Latitude-p.Latitude), rad(q.Longitude-p.Longitude)
	a := math.Pow(math.Sin(dLat/2), 2) + math.Cos(rad(p.Latitude))*math.Cos(rad(q.Latitude))*math.Pow(math.Sin(dLon/2),
		2)
	return 2 * radius * math.Asin(math.Min(1, math.Sqrt(a)))
}

// Place is where a shopper said they are.
type Place struct {
	Name string
	Point
}

//go:embed places.csv
var placesCSV string

// The gazetteer is read at its first use: most requests never need it.
var gazetteer = sync.OnceValues(func() (areas, towns map[string]Place) {
	areas, towns = map[string]Place{}, map[string]Place{}
	for line := range strings.Lines(placesCSV) {
		fields := strings.Split(strings.TrimSpace(line), ",")
		latitude, err := strconv.ParseFloat(fields[2], 64)
		if err != nil {
			panic("geo: places.csv: " + line)
		}
		longitude, err := strconv.ParseFloat(fields[3], 64)
		if err != nil {
			panic("geo: places.csv: " + line)
		}
		place := Place{fields[1], Point{latitude, longitude}}
		if fields[0] != "" {
			areas[fields[0]] = place
		}
		if key := fold(fields[1]); towns[key].Name == "" {
			towns[key] = place
		}
	}
	return areas, towns
})

// Find knows the 121 postcode areas of Great Britain and Northern Ireland by any postcode or district in them (“LS6
// 2AB”, “ls6”), and the towns they are named after, also when only the beginning was typed.
func Find(typed string) (Place, bool) {
	areas, towns := gazetteer()
	key := fold(typed)
	if key == "" || len(key) > 60 {
		return Place{}, false
	}
	if place, ok := towns[key]; ok {
		return place, true
	}
	letters := 0
	for letters < min(2, len(key)) && 'a' <= key[letters] && key[letters] <= 'z' {
		letters++
	}
	if letters > 0 && letters < len(key) && '0' <= key[letters] && key[letters] <= '9' {
		if place, ok := areas[strings.ToUpper(key[:letters])]; ok {
			return place, true
		}
	}
	if len(key) < 3 {
		return Place{}, false
	}
	var found Place
	for name, place := range towns {
		if strings.HasPrefix(name, key) && (found.Name == "" || name < fold(found.Name)) {
			found = place
		}
	}
	return found, found.Name != ""
}

func fold(s string) string {
	return strings.Join(strings.Fields(strings.ToLower(strings.NewReplacer("-", " ", "’", "", "'", "", ".",
		"").Replace(s))), " ")
}
