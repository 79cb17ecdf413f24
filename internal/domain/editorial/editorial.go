// Package editorial is what the retailer writes for the shop beside its products: terms, privacy, delivery, and pages of
// their own. What a page said stays readable in its versions.
package editorial

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
)

// Kinds of pages: one of each, and any number of others.
const (
	Terms         = "terms"
	Privacy       = "privacy"
	Imprint       = "imprint"
	Returns       = "returns"
	Delivery      = "delivery"
	About         = "about"
	FAQ           = "faq"
	Accessibility = "accessibility"
	Other         = "other"
)

// Kinds in the order in which they are listed.
var Kinds = []string{Terms, Privacy, Imprint, Returns, Delivery, About, FAQ, Accessibility, Other}

// Page as it stands, in each language that it is written in.
type Page struct {
	ID       int64
	Kind     string
	Slug     string
	InFooter bool
	Texts    map[string]Text // by language
}

// Text of a page in one language, as it stands.
type Text struct {
	VersionID int64  `json:"version_id"`
	Title     string `json:"title"`
}

// In is the text in a language, or in English, or in any.
func (p *Page) In(language string) (t Text, in string) {
	for _, l := range []string{language, text.Source} {
		if t, ok := p.Texts[l]; ok {
			return t, l
		}
	}
	for l, t := range p.Texts {
		return t, l
	}
	return Text{}, language
}

// All pages, without their bodies.
func All(into *[]Page) pg.Question {
	return pg.All(into, `
		SELECT p.id, p.kind, p.slug, p.in_footer, coalesce((
			SELECT json_object_agg(v.language, json_build_object('version_id', v.id, 'title', v.title))
			FROM (
				SELECT DISTINCT ON (language) id, language, title
				FROM page_version
				WHERE page_id = p.id
				ORDER BY language, id DESC) v), '{}') AS texts
		FROM page p
		ORDER BY p.position, p.id`)
}

// Version is what a page said from a time on, in one language.
type Version struct {
	ID        int64
	PageID    int64
	Kind      string
	Slug      string
	Language  string
	Title     string
	Body      string // Markdown
	By        string
	CreatedAt time.Time
}

const versionColumns = `
	v.id, v.page_id, p.kind, p.slug, v.language, v.title, coalesce(a.name, '') AS by, v.created_at`

const versionTables = `
	FROM page_version v
	JOIN page p ON p.id = v.page_id
	LEFT JOIN associate a ON a.id = v.associate_id`

// VersionByID reads one; nil where there is none.
func VersionByID(ctx context.Context, db pg.DB, id int64) (*Version, error) {
	return pg.Row[Version](db.Query(ctx, `SELECT `+versionColumns+`, v.body`+versionTables+` WHERE v.id = $1`,
		id))
}

// VersionsOf are a page's in a language, the newest first; only that one with its body.
func VersionsOf(pageID int64, language string, into *[]Version) pg.Question {
	return pg.All(into, `SELECT `+versionColumns+`, CASE WHEN row_number() OVER (ORDER BY v.id DESC) = 1 THEN v.body ELSE '' END AS body`+
		versionTables+` WHERE v.page_id = $1 AND v.language = $2 ORDER BY v.id DESC LIMIT 50`, pageID, language)
}

// Draft is a page as it is written, in one language.
type Draft struct {
	ID       int64 // 0: it is a new one
	Kind     string
	Slug     string
	InFooter bool
	Language string
	Title    string
	Body     string
}

// Fields are a draft as a form has it. A page keeps its kind.
func (d Draft) Fields() map[string]string {
	shown := ""
	if d.InFooter {
		shown = "1"
	}
	return map[string]string{"slug": d.Slug, "in_footer": shown, "title": d.Title, "body": d.Body}
}

// Read a form's fields onto a draft, and say, field by field, what is wrong with it.
func (d *Draft) Read(f map[string]string, form *fault.Form) {
	d.Slug, d.InFooter = f["slug"], f["in_footer"] == "1"
	d.Title, d.Body = text.Clean(f["title"], 121), text.Clean(f["body"], maxBody+1)
	if d.Title == "" || utf8.RuneCountInString(d.Title) > 120 {
		form.Add("title", "Enter a title, up to {most} characters.", text.Args{"most": 120})
	}
	if d.Body == "" || utf8.RuneCountInString(d.Body) > maxBody {
		form.Add("body", "Write the page, in up to {most} characters.", text.Args{"most": maxBody})
	}
	if !slices.Contains(Kinds, d.Kind) {
		form.Add("kind", "Choose from the list.")
	}
	if d.Slug == "" {
		form.Add("slug", "Enter an address with at least one letter or digit, such as morning-mug.")
	}
}

const maxBody = 24_000

// Lock reads a page as it stands in a language, for one that changes it.
func Lock(ctx context.Context, tx pgx.Tx, id int64, language string) (Draft, error) {
	if _, err := tx.Exec(ctx, `SELECT FROM page WHERE id = $1 FOR NO KEY UPDATE`, id); err != nil {
		return Draft{}, fmt.Errorf("lock a page: %w", err)
	}
	d, err := pg.Row[Draft](tx.Query(ctx, `
		SELECT p.id, p.kind, p.slug, p.in_footer, $2::text AS language, coalesce(v.title, '') AS title,
			coalesce(v.body, '') AS body
		FROM page p
		LEFT JOIN LATERAL (
			SELECT title, body
			FROM page_version
			WHERE page_id = p.id AND language = $2
			ORDER BY id DESC
			LIMIT 1) v ON true
		WHERE p.id = $1`, id, language))
	if err != nil {
		return Draft{}, fmt.Errorf("read a page: %w", err)
	}
	if d == nil {
		return Draft{}, fault.New(fault.NotFound, "We can’t find that page. It may have moved or no longer exist.")
	}
	return *d, nil
}

// Save writes a page, with a new version of its text where that is another than was, and answers its id.
func Save(ctx context.Context, tx pgx.Tx, was, d Draft, associateID int64) (int64, error) {
	statement := `
		INSERT INTO page (kind, slug, in_footer, position)
		SELECT @kind, @slug, @footer, coalesce(max(position), 0) + 1
		FROM page
		RETURNING id`
	if d.ID != 0 {
		statement = `
		UPDATE page
		SET slug = @slug, in_footer = @footer
		WHERE id = @id
		RETURNING id`
	}
	err := tx.QueryRow(ctx, statement, pgx.NamedArgs{"id": d.ID, "kind": d.Kind, "slug": d.Slug,
		"footer": d.InFooter}).Scan(&d.ID)
	var violated *pgconn.PgError
	switch {
	case errors.As(err, &violated) && violated.ConstraintName == "page_slug_key":
		return 0, fault.Field("slug", "Another page has this address already. Choose another.")
	case errors.As(err, &violated) && violated.ConstraintName == "page_kind":
		return 0, fault.Field("kind", "There is one of this kind already. Edit that one.")
	case err != nil:
		return 0, fmt.Errorf("place a page: %w", err)
	}
	if was.Title == d.Title && was.Body == d.Body {
		return d.ID, nil
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO page_version (page_id, language, title, body, associate_id)
		VALUES ($1, $2, $3, $4, nullif($5::bigint, 0))`, d.ID, d.Language, d.Title, d.Body, associateID)
	if err != nil {
		return 0, fmt.Errorf("write a page: %w", err)
	}
	return d.ID, nil
}
