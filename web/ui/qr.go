package ui

import (
	"fmt"
	"strings"

	"rsc.io/qr"
)

// Modules of a QR code, row by row: true is dark. None where the content does not fit.
func Modules(content string) [][]bool {
	code, err := qr.Encode(content, qr.M)
	if err != nil {
		return nil
	}
	rows := make([][]bool, code.Size)
	for y := range rows {
		rows[y] = make([]bool, code.Size)
		for x := range rows[y] {
			rows[y][x] = code.Black(x, y)
		}
	}
	return rows
}

// qrPath draws the dark modules as runs of a path. A content that does not fit, which ours never is, draws nothing.
func qrPath(content string) (path string, size int) {
	modules := Modules(content)
	size = len(modules)
	var b strings.Builder
	for y := range size {
		for x := 0; x < size; x++ {
			begin := x
			for x < size && modules[y][x] {
				x++
			}
			if x > begin {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", begin, y, x-begin, x-begin)
			}
		}
	}
	return b.String(), size
}
