package shop

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"codeberg.org/go-pdf/fpdf"

	"counterpart/web/static"
	"counterpart/web/ui"
)

// A4 in millimetres, and its columns.
const (
	margin = 18.0
	width  = 210 - 2*margin

	logoHeight = 12.0
)

// printed is a sheet as a PDF of A4 pages: the same words as on its page.
func printed(s sheet, logo io.Reader) ([]byte, error) {
	pdf := fpdf.New("P", "mm", "A4", "")
	pdf.SetMargins(margin, margin, margin)
	pdf.SetAutoPageBreak(true, margin)
	for style, name := range map[string]string{"": "Inter_400Regular.ttf", "B": "Inter_600SemiBold.ttf"} {
		font, err := static.Font(name)
		if err != nil {
			return nil, err
		}
		pdf.AddUTF8FontFromBytes("Inter", style, font)
	}
	pdf.SetTitle(s.Title, true)
	pdf.AddPage()
	head := func() {
		pdf.SetFont("Inter", "B", 9)
		pdf.SetDrawColor(200, 200, 200)
		cells(pdf, 8, s.Columns[:]...)
		pdf.Line(margin, pdf.GetY(), margin+width, pdf.GetY())
	}
	if logo != nil {
		png := fpdf.ImageOptions{ImageType: "PNG"}
		info := pdf.RegisterImageOptionsReader("logo", png, logo)
		if pdf.Err() {
			return nil, pdf.Error()
		}
		high := min(logoHeight, (width/2-4)*info.Height()/info.Width()) // beside the seller
		pdf.ImageOptions("logo", margin, margin, 0, high, false, png, 0, "")
		pdf.SetXY(margin, margin+high+4)
	}
	pdf.SetFont("Inter", "B", 20)
	pdf.CellFormat(width/2, 10, plain(s.Title), "", 2, "L", false, 0, "")
	pdf.SetFont("Inter", "", 9)
	if s.Shop != "" {
		pdf.CellFormat(width/2, 5, plain(s.Shop), "", 2, "L", false, 0, "")
	}
	for _, line := range s.About {
		pdf.CellFormat(width/2, 5, plain(line), "", 2, "L", false, 0, "")
	}
	below := pdf.GetY()
	pdf.SetXY(margin+width/2, margin)
	for _, line := range s.Seller {
		pdf.CellFormat(width/2, 5, plain(line), "", 2, "R", false, 0, "")
	}
	pdf.SetXY(margin, max(below, pdf.GetY())+8)
	for _, line := range s.Buyer {
		pdf.CellFormat(width, 5, plain(line), "", 2, "L", false, 0, "")
	}
	pdf.SetXY(margin, pdf.GetY()+8)
	head()
	for _, row := range s.Rows {
		if pdf.GetY() > 297-2*margin {
			pdf.AddPage()
			head()
		}
		pdf.SetFont("Inter", "", 9)
		cells(pdf, 6, row.What, row.Pieces, row.Tax, row.Amount)
		if row.Detail != "" {
			pdf.SetFont("Inter", "", 7)
			pdf.SetTextColor(110, 110, 110)
			cells(pdf, 4, row.Detail, "", "", "")
			pdf.SetTextColor(0, 0, 0)
		}
		pdf.SetY(pdf.GetY() + 1)
	}
	pdf.SetY(pdf.GetY() + 4)
	for _, sum := range s.Sums {
		pdf.SetFont("Inter", map[bool]string{true: "B"}[sum.Total], 9)
		pdf.SetX(margin + width/3)
		pdf.CellFormat(width/3, 6, plain(sum.Name), "", 0, "R", false, 0, "")
		pdf.CellFormat(width/3, 6, plain(sum.Amount), "", 1, "R", false, 0, "")
	}
	for _, note := range s.Notes {
		pdf.SetFont("Inter", "B", 9)
		pdf.CellFormat(width, 8, plain(note), "", 1, "L", false, 0, "")
	}
	if s.Square != "" {
		square(pdf, s.Square, margin, pdf.GetY()+6, 32)
	}
	var out bytes.Buffer
	if err := pdf.Output(&out); err != nil {
		return nil, fmt.Errorf("print %s: %w", s.Title, err)
	}
	return out.Bytes(), nil
}

// cells writes a row of the table; what is too long for its column is cut.
func cells(pdf *fpdf.Fpdf, height float64, texts ...string) {
	widths := []float64{width - 100, 32, 38, 30}
	for i, text := range texts {
		text = plain(text)
		for pdf.GetStringWidth(text) > widths[i]-2 && text != "" {
			letters := []rune(strings.TrimSuffix(text, "…"))
			text = string(letters[:len(letters)-1]) + "…"
			if len(letters) < 2 {
				break
			}
		}
		pdf.CellFormat(widths[i], height, text, "", map[bool]int{true: 1}[i == len(texts)-1],
			map[bool]string{true: "L", false: "R"}[i == 0], false, 0, "")
	}
}

// square draws a QR code of a size in millimetres.
func square(pdf *fpdf.Fpdf, content string, x, y, size float64) {
	if y > 297-margin-size {
		pdf.AddPage()
		y = margin
	}
	modules := ui.Modules(content)
	if len(modules) == 0 {
		return
	}
	one := size / float64(len(modules))
	pdf.SetFillColor(0, 0, 0)
	for row, line := range modules {
		for column, dark := range line {
			if dark {
				pdf.Rect(x+float64(column)*one, y+float64(row)*one, one, one, "F")
			}
		}
	}
}

// plain is a text as the font can write it: what lies outside the first plane is not in it.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r > 0xFFFF {
			return '□'
		}
		return r
	}, s)
}
