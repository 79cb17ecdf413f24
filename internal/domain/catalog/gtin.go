package catalog

import "strings"

// GTIN reads a barcode of 8, 12, 13 or 14 digits and gives it as 14, padded with zeros: UPC-A and the same bars as an
// EAN-13 with a leading zero are one number. False when the digits or the check digit are wrong.
func GTIN(scanned string) (string, bool) {
	digits := strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, strings.TrimSpace(scanned))
	if n := len(digits); n != 8 && n != 12 && n != 13 && n != 14 {
		return "", false
	}
	digits = strings.Repeat("0", 14-len(digits)) + digits
	// GS1 General Specifications: from the right, weights 3 and 1 in turn over all digits but the last.
	sum := 0
	for i, r := range digits {
		if r < '0' || r > '9' {
			return "", false
		}
		weight := 1
		if i%2 == 0 {
			weight = 3
		}
		if i < 13 {
			sum += weight * int(r-'0')
		}
	}
	return digits, digits != strings.Repeat("0", 14) && byte((10-sum%10)%10)+'0' == digits[13]
}

// Printed is a GTIN as it stands under its bars: 13 digits, or 14 on a box of several.
func Printed(gtin string) string {
	if len(gtin) == 14 && gtin[0] == '0' {
		return gtin[1:]
	}
	return gtin
}

// WithCheckDigit completes the first 13 digits of a GTIN.
func WithCheckDigit(first13 string) string {
	for d := byte('0'); d <= '9'; d++ {
		if gtin, ok := GTIN(first13 + string(d)); ok {
			return gtin
		}
	}
	return ""
}
