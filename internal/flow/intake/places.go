package intake

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/geo"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
)

// placeHeadings are names that a column of a gazetteer may have.
var placeHeadings = map[string][]string{
	"postcode": {"postcode", "outcode", "zip", "postal code"}, "town": {"town", "name", "city", "place"},
	"latitude": {"latitude", "lat", "lat_wgs"}, "longitude": {"longitude", "lng", "lon", "long_wgs"},
	"country": {"country", "country code"},
}

// PlacesReport is what an import of a gazetteer did.
type PlacesReport struct {
	Rows, Postcodes, Towns int
	Refused                map[string]int
}

// Tell writes the report for a person.
func (r PlacesReport) Tell(w io.Writer) {
	reasons := make([]string, 0, len(r.Refused))
	for reason := range r.Refused {
		reasons = append(reasons, reason)
	}
	slices.SortFunc(reasons, func(a, b string) int { return cmp.Or(r.Refused[b]-r.Refused[a], strings.Compare(a, b)) })
	for _, reason := range reasons {
		fmt.Fprintf(w, "%d × refused: %s\n", r.Refused[reason], reason)
	}
	fmt.Fprintf(w, "%d rows: %d postcodes, %d towns.\n", r.Rows, r.Postcodes, r.Towns)
}

// apart is how far two places of one name may lie from each other to be one, in kilometres: what is further is two, and
// nobody can say which somebody lives in.
const apart = 25

type placeKey struct{ country, kind, key string }

type found struct {
	name string
	geo.Point
	ambiguous bool
}

// Places reads where postcodes and towns are: a CSV with a column for latitude, longitude and a postcode or a town, or
// a JSON list of objects with these names. A row is a postcode where it has one. What was there is replaced by what the
// file says of it. country is that of rows that do not say theirs in two letters.
func Places(ctx context.Context, db pg.DB, r io.Reader, country string) (report PlacesReport, err error) {
	report.Refused = map[string]int{}
	all := map[placeKey]found{}
	add := func(row map[string]string) {
		report.Rows++
		if why := place(all, row, country); why != "" {
			report.Refused[why]++
		}
	}
	buffered := bufio.NewReader(r)
	if head, _ := buffered.Peek(1); len(head) == 1 && head[0] == '[' {
		err = placesJSON(buffered, add)
	} else {
		err = placesCSV(buffered, add)
	}
	if err != nil {
		return report, err
	}
	var rows [][]any
	var ambiguous []string
	for key, f := range all {
		if f.ambiguous {
			report.Refused["several towns of this name"]++
			ambiguous = append(ambiguous, key.country+" "+key.kind+" "+key.key)
			continue
		}
		if key.kind == "postcode" {
			report.Postcodes++
		} else {
			report.Towns++
		}
		rows = append(rows, []any{key.country, key.kind, key.key, f.name, f.Latitude, f.Longitude})
	}
	return report, pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `DROP TABLE IF EXISTS pg_temp.arrived; CREATE TEMP TABLE arrived (LIKE place) ON COMMIT DROP`); err != nil {
			return err
		}
		if _, err := tx.CopyFrom(ctx, pgx.Identifier{"arrived"}, []string{"country", "kind", "key", "name", "latitude", "longitude"},
			pgx.CopyFromRows(rows)); err != nil {
			return fmt.Errorf("write places: %w", err)
		}
		_, err := tx.Exec(ctx, `
			INSERT INTO place SELECT * FROM arrived
			ON CONFLICT (country, kind, key) DO UPDATE
				SET name = excluded.name, latitude = excluded.latitude, longitude = excluded.longitude`)
		if err == nil { // What an earlier file knew of one of them is not known any more.
			_, err = tx.Exec(ctx, `DELETE FROM place WHERE country || ' ' || kind || ' ' || key = ANY ($1)`, ambiguous)
		}
		if err != nil {
			return fmt.Errorf("write places: %w", err)
		}
		return nil
	})
}

// place adds a row, or says why it cannot.
func place(all map[placeKey]found, row map[string]string, country string) (why string) {
	latitude, err := strconv.ParseFloat(row["latitude"], 64)
	longitude, failed := strconv.ParseFloat(row["longitude"], 64)
	if errors.Join(err, failed) != nil || !(latitude >= -90 && latitude <= 90) || !(longitude >= -180 && longitude <= 180) {
		return "no latitude from -90 to 90 and longitude from -180 to 180"
	}
	if own := strings.ToUpper(row["country"]); len(own) == 2 {
		country = own
	}
	key := placeKey{country: country, kind: "postcode", key: strings.ToUpper(strings.ReplaceAll(row["postcode"], " ", ""))}
	f := found{name: text.Clean(cmp.Or(row["postcode"], row["town"]), 100), Point: geo.Point{Latitude: latitude, Longitude: longitude}}
	if key.key == "" {
		key.kind, key.key = "town", strings.ToUpper(text.Clean(row["town"], 100))
	}
	if key.key == "" {
		return "neither a postcode nor a town"
	}
	if was, there := all[key]; there {
		was.ambiguous = was.ambiguous || was.Kilometres(f.Point) > apart
		all[key] = was
		return ""
	}
	all[key] = f
	return ""
}

func placesCSV(r io.Reader, add func(map[string]string)) error {
	rows, err := newReader(r, placeHeadings, "latitude")
	if err != nil {
		return err
	}
	for {
		one, err := rows.read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		cells := map[string]string{}
		for column := range placeHeadings {
			cells[column] = one.get(column)
		}
		add(cells)
	}
}

func placesJSON(r io.Reader, add func(map[string]string)) error {
	all := json.NewDecoder(r)
	if _, err := all.Token(); err != nil {
		return fmt.Errorf("%w: %v", ErrFile, err)
	}
	for all.More() {
		var one map[string]any
		if err := all.Decode(&one); err != nil {
			return fmt.Errorf("%w: %v", ErrFile, err)
		}
		cells := map[string]string{}
		for column, names := range placeHeadings {
			for _, name := range names {
				if value, ok := one[name]; ok && cells[column] == "" {
					cells[column] = strings.TrimSpace(fmt.Sprint(value))
				}
			}
		}
		add(cells)
	}
	return nil
}
