package postal

import "strings"

// states of the United States by their names, as the Postal Service abbreviates them (Publication 28, Appendix B).
var states = map[string]string{}

func init() {
	for pair := range strings.SplitSeq(`Alabama AL,Alaska AK,Arizona AZ,Arkansas AR,California CA,Colorado CO,Connecticut CT,Delaware DE,District of Columbia DC,Florida FL,Georgia GA,Hawaii HI,Idaho ID,
Illinois IL,Indiana IN,Iowa IA,Kansas KS,Kentucky KY,Louisiana LA,Maine ME,Maryland MD,Massachusetts MA,Michigan MI,Minnesota MN,Mississippi MS,Missouri MO,Montana MT,Nebraska NE,Nevada NV,
New Hampshire NH,New Jersey NJ,New Mexico NM,New York NY,North Carolina NC,North Dakota ND,Ohio OH,Oklahoma OK,Oregon OR,Pennsylvania PA,Puerto Rico PR,Rhode Island RI,South Carolina SC,
South Dakota SD,Tennessee TN,Texas TX,Utah UT,Vermont VT,Virginia VA,Washington WA,West Virginia WV,Wisconsin WI,Wyoming WY`, ",") {
		pair = strings.TrimSpace(pair)
		name, code := pair[:len(pair)-3], pair[len(pair)-2:]
		states[strings.ToUpper(name)], states[code] = code, code
	}
}

// State is a region as tax tables have it: of the United States its two letters, however it was typed; what is none
// stays as it is.
func State(country, typed string) string {
	typed = strings.ToUpper(strings.Join(strings.Fields(strings.ReplaceAll(typed, ".", "")), " "))
	if code := states[typed]; country == "US" && code != "" {
		return code
	}
	return typed
}
