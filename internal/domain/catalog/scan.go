package catalog

import (
	"context"
	"counterpart/internal/platform/pg"
	"fmt"
	"net/url"
	"strings"
	"unicode"

	"github.com/jackc/pgx/v5"
)

// Scanned is what a scanner, a phone's camera or a keyboard gave, read every way it can be meant. A look-up tries all
// of them.
type Scanned struct {
	GTINs []string // 14 digits each: as scanned, with the zeros or the check digit that were missing
	Key   string   // of a SKU or of one of the retailer's own codes; see Key
}

// ByCode finds variants for a query with the arguments @gtins and @key: see Scanned.
const ByCode = `
	SELECT variant_id FROM barcode WHERE gtin = ANY (@gtins)
	UNION
	SELECT variant_id FROM own_code WHERE code = @key
	UNION
	SELECT id FROM variant WHERE @key <> '' AND sku_key(sku) = @key`

// Key is a SKU or a code of the retailer's own as it is looked up, the same as sku_key in the database: in upper case,
// without spaces and dashes.
func Key(typed string) string {
	return strings.ToUpper(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || strings.ContainsRune("-‐‑‒–—", r) {
			return -1
		}
		return r
	}, typed))
}

// Scan reads a symbology prefix (ISO/IEC 15424: ]C1, ]E0, ]Q3), GS1 element strings with and without brackets, GS1
// Digital Link addresses of any host, GTINs of any length, and anything else as a SKU or a code of the retailer's own.
func Scan(typed string) Scanned {
	typed = strings.TrimSpace(typed)
	prefixed := false
	if len(typed) > 3 && typed[0] == ']' && isLetter(typed[1]) {
		typed, prefixed = typed[3:], true
	}
	typed = strings.TrimLeft(typed, string(fnc1))
	if gtin, ok := digitalLink(typed); ok {
		return Scanned{GTINs: []string{gtin}}
	}
	if gtin, ok := elements(typed); ok {
		return Scanned{GTINs: []string{gtin}, Key: keyUnless(prefixed, typed)}
	}
	return Scanned{GTINs: gtins(typed), Key: Key(strings.TrimPrefix(typed, "'"))}
}

// keyUnless is the key of what was typed by hand: it may be a SKU that only looks like an element string.
func keyUnless(scanned bool, typed string) string {
	if scanned {
		return ""
	}
	return Key(typed)
}

func isLetter(b byte) bool { return b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z' }

// gtins are those that digits can be: whole, with leading zeros that a spreadsheet took, or without the check digit
// that some scanners leave out.
func gtins(typed string) (all []string) {
	digits := Key(typed)
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return nil
	}
	if gtin, ok := GTIN(digits); ok {
		all = append(all, gtin)
	}
	if gtin, ok := Completed(digits); ok {
		all = append(all, gtin)
	}
	switch len(digits) {
	case 7, 11, 12, 13:
		if gtin := WithCheckDigit(strings.Repeat("0", 13-len(digits)) + digits); gtin != "" {
			all = append(all, gtin)
		}
	}
	return all
}

// Completed is a GTIN that lost leading zeros in a spreadsheet: 9 to 13 digits whose last one is the check digit of the
// others. One number in ten fits by chance, so what was typed has to stay findable, too.
func Completed(digits string) (string, bool) {
	n := len(digits)
	if n < 9 || n > 13 || strings.Trim(digits, "0123456789") != "" {
		return "", false
	}
	return GTIN(strings.Repeat("0", 14-n) + digits)
}

// digitalLink reads the GTIN of a GS1 Digital Link address: its path has /01/ before it, whatever the host and whatever
// stands around it.
func digitalLink(typed string) (string, bool) {
	address, err := url.Parse(typed)
	if err != nil || address.Host == "" || !strings.EqualFold(address.Scheme, "http") &&
		!strings.EqualFold(address.Scheme, "https") {
		return "", false
	}
	parts := strings.Split(address.Path, "/")
	for i := 0; i+1 < len(parts); i++ {
		if parts[i] == "01" || strings.EqualFold(parts[i], "gtin") {
			if gtin, ok := GTIN(parts[i+1]); ok {
				return gtin, true
			}
		}
	}
	return "", false
}

// fnc1 ends a value of variable length; scanners send it as the character Group Separator.
const fnc1 = '\x1d'

// fixed is how long the value behind an application identifier is where its length is fixed (GS1 General
// Specifications, figure 7.8.5-2), by the identifier's first two digits, the rest of a longer identifier included.
var fixed = map[string]int{
	"00": 18, "01": 14, "02": 14, "03": 14, "04": 16, "11": 6, "12": 6, "13": 6, "14": 6, "15": 6, "16": 6, "17": 6,
	"18": 6, "19": 6, "20": 2,
	"31": 8, "32": 8, "33": 8, "34": 8, "35": 8, "36": 8, "41": 14,
}

// elements reads the GTIN, identifier 01, of a GS1 element string.
func elements(typed string) (string, bool) {
	if _, after, ok := strings.Cut(typed, "(01)"); ok && len(after) >= 14 {
		return GTIN(after[:14])
	}
	if len(typed) < 16 {
		return "", false
	}
	for len(typed) >= 16 {
		if typed[:2] == "01" {
			return GTIN(typed[2:16])
		}
		if n := fixed[typed[:2]]; n > 0 && len(typed) > 2+n {
			typed = strings.TrimLeft(typed[2+n:], string(fnc1))
			continue
		}
		_, after, ok := strings.Cut(typed, string(fnc1))
		if !ok {
			return "", false
		}
		typed = after
	}
	return "", false
}

// Sold is a variant that is sold, by its SKU.
type Sold struct{ VariantID, ProductID int64 }

// BySKU finds the variants that are sold under SKUs, in their order. missing is the first that is not; empty: all are there.
func BySKU(ctx context.Context, db pg.DB, skus []string) (all []Sold, missing string, err error) {
	rows, err := db.Query(ctx, `
		SELECT coalesce(v.id, 0), coalesce(v.product_id, 0)
		FROM unnest($1::text[]) WITH ORDINALITY AS named (sku, n)
		LEFT JOIN (
			SELECT v.id, v.product_id, v.sku
			FROM variant v
			JOIN product p ON p.id = v.product_id AND p.status = 'active'
			WHERE v.active) v ON upper(v.sku) = upper(named.sku)
		ORDER BY named.n`, skus)
	if err != nil {
		return nil, "", fmt.Errorf("find variants by SKU: %w", err)
	}
	if all, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Sold]); err != nil {
		return nil, "", fmt.Errorf("find variants by SKU: %w", err)
	}
	for i, one := range all {
		if one.VariantID == 0 {
			return nil, skus[i], nil
		}
	}
	return all, "", nil
}
