package ui

import (
	"fmt"
	"strings"

	"github.com/boombuler/barcode/qr"
)

// qrPath draws the dark modules as runs of a path. A content that does not fit, which ours never is, draws nothing.
func qrPath(content string) (path string, size int) {
	code, err := qr.Encode(content, qr.M, qr.Auto)
	if err != nil {
		return "", 0
	}
	size = code.Bounds().Dx()
	dark := func(x, y int) bool {
		r, _, _, _ := code.At(x, y).RGBA()
		return r < 0x8000
	}
	var b strings.Builder
	for y := range size {
		for x := 0; x < size; x++ {
			begin := x
			for x < size && dark(x, y) {
				x++
			}
			if x > begin {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", begin, y, x-begin, x-begin)
			}
		}
	}
	return b.String(), size
}
