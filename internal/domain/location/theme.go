package location

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
)

// Theme is how the shop looks and where its header and footer lead.
type Theme struct {
	Accent      string // of buttons, as rrggbb; empty: ours
	Ground      string // behind pages
	Ink         string // of text
	TextFont    string // sans or serif
	DisplayFont string
	Logo        string // its key in the file store; empty: the name in letters
	HeaderLinks []ThemeLink
	FooterLinks []ThemeLink
}

// ThemeLink is a place to go.
type ThemeLink struct {
	Name    string `json:"name"`
	Address string `json:"address"`
}

// ThemeOf is the shop's; the zero Theme where there is no shop.
func ThemeOf(into *Theme) pg.Question {
	return func(batch *pgx.Batch) {
		batch.Queue(`
			SELECT accent, ground, ink, text_font, display_font, logo, header_links, footer_links
			FROM shop`).Query(func(rows pgx.Rows) error {
			theme, err := pg.Row[Theme](rows, nil)
			if theme != nil {
				*into = *theme
			}
			return err
		})
	}
}

// Plain says that nothing was chosen: the shop looks as it ships.
func (f Theme) Plain() bool {
	return f.Accent == "" && f.Ground == "" && f.Ink == "" && f.TextFont != "serif" && f.DisplayFont != "sans"
}

// Fields are a theme as a form has it.
func (f Theme) Fields() map[string]string {
	colour := func(c string) string {
		if c == "" {
			return ""
		}
		return "#" + c
	}
	return map[string]string{"accent": colour(f.Accent), "ground": colour(f.Ground), "ink": colour(f.Ink),
		"text_font": f.TextFont, "display_font": f.DisplayFont, "header_links": writeLinks(f.HeaderLinks),
		"footer_links": writeLinks(f.FooterLinks)}
}

func writeLinks(links []ThemeLink) string {
	var lines []string
	for _, l := range links {
		lines = append(lines, l.Name+" | "+l.Address)
	}
	return strings.Join(lines, "\n")
}

var hex = regexp.MustCompile(`^#?([0-9a-fA-F]{6})$`)

// DefaultColours are those that the shop has where none is chosen, as rrggbb.
var DefaultColours = map[string]string{"accent": "0c6944", "ground": "fbfaf7", "ink": "221f1a"}

// Colour reads one as rrggbb; empty where it is none.
func Colour(typed string) string {
	m := hex.FindStringSubmatch(strings.TrimSpace(typed))
	if m == nil {
		return ""
	}
	return strings.ToLower(m[1])
}

// ReadTheme reads a form and says, field by field, what is wrong with it. Text has to be readable: 4.5 to 1 (WCAG 2.2,
// success criterion 1.4.3).
func ReadTheme(f map[string]string, form *fault.Form) Theme {
	colour := func(field string) string {
		typed := strings.TrimSpace(f[field])
		if typed == "" {
			return ""
		}
		c := Colour(typed)
		if c == "" {
			form.Add(field, "Enter a colour as six hex digits, such as #2f6b4f.")
		}
		return c
	}
	theme := Theme{Accent: colour("accent"), Ground: colour("ground"), Ink: colour("ink"), TextFont: f["text_font"],
		DisplayFont: f["display_font"]}
	ground, ink := cmp.Or(theme.Ground, DefaultColours["ground"]), cmp.Or(theme.Ink, DefaultColours["ink"])
	ratio := text.Args{"least": text.Decimal{Value: readable, Digits: 1}}
	if theme.Accent != "" && contrast(theme.Accent, "ffffff") < readable {
		form.Add("accent", "White words on this colour can’t be read well: the contrast is below {least} to 1. Choose a darker one.", ratio)
	}
	if contrast(ground, ink) < readable {
		field := "ink"
		if theme.Ink == "" {
			field = "ground"
		}
		form.Add(field, "Words can’t be read well with these colours: the contrast is below {least} to 1.", ratio)
	} else if theme.Accent != "" && contrast(ground, theme.Accent) < 3 {
		form.Add("accent", "Buttons would hardly stand out from the background. Choose another colour.")
	}
	for _, field := range []string{"text_font", "display_font"} {
		if f[field] != "sans" && f[field] != "serif" {
			form.Add(field, "Choose from the list.")
		}
	}
	theme.HeaderLinks = readLinks(f["header_links"], "header_links", 4, form)
	theme.FooterLinks = readLinks(f["footer_links"], "footer_links", 12, form)
	return theme
}

const readable = 4.5

// contrast of two colours, from 1 to 21 (WCAG 2.2, relative luminance of sRGB).
func contrast(a, b string) float64 {
	light, dark := luminance(a), luminance(b)
	if light < dark {
		light, dark = dark, light
	}
	return (light + 0.05) / (dark + 0.05)
}

func luminance(colour string) float64 {
	n, err := strconv.ParseUint(colour, 16, 32)
	if err != nil {
		return 0
	}
	channel := func(shift uint) float64 {
		c := float64(n>>shift&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*channel(16) + 0.7152*channel(8) + 0.0722*channel(0)
}

// readLinks reads links, one a line: name | address.
func readLinks(typed, field string, most int, form *fault.Form) []ThemeLink {
	links := []ThemeLink{}
	for line := range strings.Lines(text.Clean(typed, 4000)) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		name, address, ok := strings.Cut(line, "|")
		name, address = strings.TrimSpace(name), strings.TrimSpace(address)
		to, err := url.Parse(address)
		inside := err == nil && to.Host == "" && strings.HasPrefix(address, "/") && !strings.ContainsFunc(address,
			func(r rune) bool { return r <= ' ' || r == '\\' })
		outside := err == nil && to.Scheme == "https" && to.Host != ""
		if !ok || name == "" || utf8.RuneCountInString(name) > 40 || len(address) > 300 ||
			!inside && !outside {
			form.Add(field, "“{line}” isn’t a link. Enter a name, a bar and an address, such as Journal | /pages/journal.",
				text.Args{"line": line})
			break
		}
		links = append(links, ThemeLink{Name: name, Address: address})
	}
	if len(links) > most {
		form.Add(field, "Use up to {most} links.", text.Args{"most": most})
	}
	return links
}

// SetTheme writes how the shop looks.
func SetTheme(ctx context.Context, tx pgx.Tx, f Theme) error {
	header, errHeader := json.Marshal(f.HeaderLinks)
	footer, errFooter := json.Marshal(f.FooterLinks)
	if err := errors.Join(errHeader, errFooter); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `
		UPDATE shop
		SET accent = $1, ground = $2, ink = $3, text_font = $4, display_font = $5, header_links = $6, footer_links = $7`,
		f.Accent, f.Ground, f.Ink, f.TextFont, f.DisplayFont, header, footer)
	if err != nil {
		return fmt.Errorf("change how the shop looks: %w", err)
	}
	return nil
}

// SetLogo says which picture stands for the shop's name; empty: none.
func SetLogo(ctx context.Context, tx pgx.Tx, key string) error {
	if _, err := tx.Exec(ctx, `UPDATE shop SET logo = $1`, key); err != nil {
		return fmt.Errorf("change the logo: %w", err)
	}
	return nil
}

// Details are what the whole shop is called, speaks and asks of its staff.
type Details struct {
	Name, Languages, SenderName, ReplyTo string // languages parted by commas
	IdleMinutes, WriteOffLimit           int
	SecondFactor                         bool
}

// DetailsOf are the shop's.
func DetailsOf(into **Details) pg.Question {
	return pg.One(into, `
		SELECT name, array_to_string(languages, ',') AS languages, sender_name, reply_to, idle_minutes::int AS idle_minutes,
			write_off_limit, second_factor
		FROM shop`)
}

// Fields are the details as a form has them.
func (d Details) Fields() map[string]string {
	return map[string]string{"shop_name": d.Name, "languages": d.Languages, "sender_name": d.SenderName,
		"reply_to": d.ReplyTo, "idle_minutes": strconv.Itoa(d.IdleMinutes),
		"write_off_limit": strconv.Itoa(d.WriteOffLimit), "second_factor": flag(d.SecondFactor)}
}

// SetDetails writes them.
func SetDetails(ctx context.Context, tx pgx.Tx, d Details) error {
	_, err := tx.Exec(ctx, `
		UPDATE shop
		SET name = $1, languages = string_to_array($2, ','), sender_name = $3, reply_to = $4, idle_minutes = $5,
			write_off_limit = $6, second_factor = $7`, d.Name, d.Languages, d.SenderName, d.ReplyTo, d.IdleMinutes,
		d.WriteOffLimit, d.SecondFactor)
	if err != nil {
		return fmt.Errorf("change the shop's details: %w", err)
	}
	return nil
}

// Sender is as whom the shop writes emails.
type Sender struct{ Name, ReplyTo string }

// SenderOf is the shop's; the zero Sender where there is no shop.
func SenderOf(ctx context.Context, db pg.DB) (s Sender, err error) {
	found, err := pg.Row[Sender](db.Query(ctx, `
		SELECT coalesce(nullif(sender_name, ''), name) AS name, reply_to
		FROM shop`))
	if err != nil {
		return s, fmt.Errorf("read as whom the shop writes: %w", err)
	}
	if found != nil {
		s = *found
	}
	return s, nil
}

// LockShop has whoever else changes something of the shop wait.
func LockShop(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, `SELECT FROM shop FOR NO KEY UPDATE`); err != nil {
		return fmt.Errorf("lock the shop: %w", err)
	}
	return nil
}

// Takes says whether one of the shop's places sells in a currency.
func Takes(ctx context.Context, db pg.DB, currency string) (takes bool, err error) {
	err = db.QueryRow(ctx, `SELECT EXISTS (SELECT FROM location WHERE currency = $1 AND closed_at IS NULL)`,
		currency).Scan(&takes)
	if err != nil {
		return false, fmt.Errorf("look for a currency: %w", err)
	}
	return takes, nil
}
