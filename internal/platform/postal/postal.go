// Package postal is how each country writes an address: what its parts are called, which it has, and in which order
// they stand.
package postal

import (
	"regexp"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/text"
)

// Address as somebody wrote it. Lines is everything above the town, one a line.
type Address struct{ Name, Lines, Town, Region, Postcode, Country string }

// Format is a country's. Codes without a pattern are not checked: a country that we do not know well is not told that
// it is wrong.
type Format struct {
	Country  string
	Name     string
	Code     string         // what the postcode is called there; empty: there is none
	pattern  *regexp.Regexp // of the code in upper case without spaces
	written  string         // how spaces and hyphens go into it: letters and figures stand for themselves as “#”
	Region   string         // what the region is called; empty: it is not written
	Required bool           // of the region
	layout   string         // N name, L lines, T town, R region, P postcode; “/” ends a line
}

// From the Universal Postal Union's addressing sheets and Unicode's CLDR region names, in our own words.
var formats = map[string]Format{}

// row is a country in the table below.
type row struct {
	country, name, code, pattern, written, region string
	required                                      bool
	layout                                        string
}

func add(r row) {
	f := Format{Country: r.country, Name: r.name, Code: r.code, written: r.written, Region: r.region,
		Required: r.required, layout: r.layout}
	if r.pattern != "" {
		f.pattern = regexp.MustCompile(`^(?:` + r.pattern + `)$`)
	}
	formats[r.country] = f
}

func init() {
	const postFirst, townFirst, british, american = "N/L/P T", "N/L/T P", "N/L/T/R/P", "N/L/T, R P"
	add(row{"GB", "United Kingdom", "Postcode", `[A-Z]{1,2}[0-9][A-Z0-9]?[0-9][A-Z]{2}|GIR0AA`, "-3", "County", false,
		british})
	add(row{"IE", "Ireland", "Eircode", `[A-Z][0-9][0-9W][A-Z0-9]{4}`, "3", "County", false, british})
	add(row{"US", "United States", "ZIP code", `[0-9]{5}([0-9]{4})?`, "5-", "State", true, american})
	add(row{"CA", "Canada", "Postal code", `[A-Z][0-9][A-Z][0-9][A-Z][0-9]`, "3", "Province", true, "N/L/T R P"})
	add(row{"AU", "Australia", "Postcode", `[0-9]{4}`, "", "State", true, "N/L/T R P"})
	add(row{"NZ", "New Zealand", "Postcode", `[0-9]{4}`, "", "", false, townFirst})
	add(row{"DE", "Germany", "Postcode", `[0-9]{5}`, "", "", false, postFirst})
	add(row{"AT", "Austria", "Postcode", `[0-9]{4}`, "", "", false, postFirst})
	add(row{"CH", "Switzerland", "Postcode", `[0-9]{4}`, "", "", false, postFirst})
	add(row{"FR", "France", "Postcode", `[0-9]{5}`, "", "", false, postFirst})
	add(row{"BE", "Belgium", "Postcode", `[0-9]{4}`, "", "", false, postFirst})
	add(row{"NL", "Netherlands", "Postcode", `[0-9]{4}[A-Z]{2}`, "4", "", false, postFirst})
	add(row{"LU", "Luxembourg", "Postcode", `(L-?)?[0-9]{4}`, "", "", false, postFirst})
	add(row{"ES", "Spain", "Postcode", `[0-9]{5}`, "", "Province", false, "N/L/P T/R"})
	add(row{"PT", "Portugal", "Postcode", `[0-9]{7}`, "4-", "", false, postFirst})
	add(row{"IT", "Italy", "CAP", `[0-9]{5}`, "", "Province", false, "N/L/P T R"})
	add(row{"PL", "Poland", "Postcode", `[0-9]{5}`, "2-", "", false, postFirst})
	add(row{"CZ", "Czechia", "PSČ", `[0-9]{5}`, "3", "", false, postFirst})
	add(row{"SK", "Slovakia", "PSČ", `[0-9]{5}`, "3", "", false, postFirst})
	add(row{"HU", "Hungary", "Postcode", `[0-9]{4}`, "", "", false, "N/T/L/P"})
	add(row{"LV", "Latvia", "Postcode", `LV[0-9]{4}`, "2-", "", false, "N/L/T, P"})
	add(row{"LT", "Lithuania", "Postcode", `(LT)?[0-9]{5}`, "", "", false, postFirst})
	add(row{"EE", "Estonia", "Postcode", `[0-9]{5}`, "", "", false, postFirst})
	add(row{"FI", "Finland", "Postcode", `[0-9]{5}`, "", "", false, postFirst})
	add(row{"SE", "Sweden", "Postcode", `[0-9]{5}`, "3", "", false, postFirst})
	add(row{"NO", "Norway", "Postcode", `[0-9]{4}`, "", "", false, postFirst})
	add(row{"DK", "Denmark", "Postcode", `[0-9]{4}`, "", "", false, postFirst})
	add(row{"GR", "Greece", "Postcode", `[0-9]{5}`, "3", "", false, postFirst})
	add(row{"AZ", "Azerbaijan", "Postcode", `AZ[0-9]{4}`, "2", "", false, "N/L/T P"})
	add(row{"JP", "Japan", "Postal code", `[0-9]{7}`, "3-", "Prefecture", true, "P/R/T/L/N"})
	add(row{"BR", "Brazil", "CEP", `[0-9]{8}`, "5-", "State", true, "N/L/T - R/P"})
	add(row{"HK", "Hong Kong", "", "", "", "District", false, "N/L/T/R"})
	add(row{"AE", "United Arab Emirates", "", "", "", "Emirate", true, "N/L/T/R"})
	add(row{"ZA", "South Africa", "Postal code", `[0-9]{4}`, "", "", false, "N/L/T/P"})
}

// Of is a country's format. One that we do not know has a postcode and a region that nobody checks.
func Of(country string) Format {
	if f, ok := formats[country]; ok {
		return f
	}
	return Format{Country: country, Name: country, Code: "Postcode", Region: "Region", layout: "N/L/P T/R"}
}

// Known countries, by name.
func Known() []Format {
	all := make([]Format, 0, len(formats))
	for _, f := range formats {
		all = append(all, f)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Name < all[j].Name })
	return all
}

// Check tidies an address up and says, beside its field, what is missing. Letters are never a reason: names and streets
// are whatever people are called and live in. The fields are name, lines, town, region, postcode, country.
func Check(a *Address, form *fault.Form) {
	a.Country = strings.ToUpper(strings.TrimSpace(a.Country))
	f := Of(a.Country)
	if len(a.Country) != 2 || strings.Trim(a.Country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		form.Add("country", "Choose a country.")
	}
	a.Name = strings.Join(strings.Fields(a.Name), " ")
	var lines []string
	for line := range strings.Lines(a.Lines) {
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			lines = append(lines, line)
		}
	}
	a.Lines, a.Town, a.Region = strings.Join(lines, "\n"), strings.Join(strings.Fields(a.Town),
		" "), strings.Join(strings.Fields(a.Region), " ")
	for field, text := range map[string]string{"name": a.Name, "lines": a.Lines, "town": a.Town, "region": a.Region,
		"postcode": a.Postcode} {
		if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			form.Add(field, "This has a character we can’t use.")
		}
		if utf8.RuneCountInString(text) > 300 {
			form.Add(field, "That’s too long for a label. Use up to 300 characters.")
		}
	}
	if a.Name == "" {
		form.Add("name", "Enter a name.")
	}
	if a.Lines == "" || len(lines) > 5 {
		form.Add("lines", "Enter the street address, up to five lines.")
	}
	if a.Town == "" {
		form.Add("town", "Enter the town.")
	}
	if f.Required && a.Region == "" {
		form.Add("region", "Enter the {region}.", text.Args{"region": inside(f.Region)})
	}
	if a.Country == "US" && a.Region != "" {
		// Tax depends on it.
		if a.Region = State(a.Country, a.Region); len(a.Region) != 2 {
			form.Add("region", "Enter the two-letter state code, such as NY.")
		}
	}
	code, ok := f.Postcode(a.Postcode)
	switch {
	case !ok && strings.TrimSpace(a.Postcode) == "":
		form.Add("postcode", "Enter the {code}.", text.Args{"code": inside(f.Code)})
	case !ok:
		form.Add("postcode", "That isn’t a valid postcode for this country.")
	}
	a.Postcode = code
}

// Postcode writes a code as its country does. False when it cannot be one there.
func (f Format) Postcode(typed string) (string, bool) {
	if f.Code == "" {
		return "", true
	}
	tidy := strings.Join(strings.Fields(strings.ToUpper(typed)), " ")
	if f.pattern == nil {
		return tidy, utf8.RuneCountInString(tidy) <= 12
	}
	bare := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '-' {
			return -1
		}
		return r
	}, tidy)
	if !f.pattern.MatchString(bare) {
		return tidy, false
	}
	switch f.written {
	case "":
		return bare, true
	case "-3": // a space before the last three
		return bare[:len(bare)-3] + " " + bare[len(bare)-3:], true
	}
	at, sign := int(f.written[0]-'0'), " "
	if strings.HasSuffix(f.written, "-") {
		sign = "-"
	}
	if len(bare) <= at {
		return bare, true
	}
	return bare[:at] + sign + bare[at:], true
}

// Label is the address as it is written on a parcel, line by line, the country last.
func (a Address) Label() (lines []string) {
	f := Of(a.Country)
	for _, part := range strings.Split(f.layout, "/") {
		line := ""
		for _, r := range part {
			switch r {
			case 'N':
				line += a.Name
			case 'L':
				line += a.Lines
			case 'T':
				line += a.Town
			case 'R':
				line += a.Region
			case 'P':
				line += a.Postcode
			default:
				line += string(r)
			}
		}
		for _, l := range strings.Split(line, "\n") {
			if l = strings.Trim(strings.Join(strings.Fields(l), " "), " ,-"); l != "" {
				lines = append(lines, l)
			}
		}
	}
	return append(lines, f.Name)
}

// inside is the name of a part of an address as it stands inside a sentence: “ZIP code” stays, “Postcode” does not.
type inside string

// In says the name in a language.
func (i inside) In(language string) string {
	name := []rune(text.M(string(i)).In(language))
	if len(name) > 1 && !unicode.IsUpper(name[1]) {
		name[0] = unicode.ToLower(name[0])
	}
	return string(name)
}
