package catalog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
)

// Head is what the admin edits of a product beside its variants and pictures, with its texts in one language.
type Head struct {
	Title, Description       string
	SEOTitle, SEODescription string // empty: title and description
	Slug, Brand, Status      string
	PublishAt                *time.Time // when a draft goes on sale by itself
	Tags                     []string
	Categories               []int64
	MinimumAge               int // years; 0: none
	Pickup, Ship             bool
	OriginCountry            string
	CustomsCode              string
}

// Statuses of a product.
var Statuses = []string{"draft", "active", "archived"}

// Fields are a product's head as a form has it, in one language; times are local to zone. Nil where there is no such
// product.
func Fields(ctx context.Context, db pg.DB, productID int64, language string,
	zone *time.Location) (map[string]string, error) {
	var head *Head
	err := pg.Ask(ctx, db, HeadOf(productID, language, &head))
	if err != nil || head == nil {
		return nil, err
	}
	return head.Fields(zone), nil
}

// HeadOf is a product's head with its texts in a language; nil where there is no such product.
func HeadOf(productID int64, language string, into **Head) pg.Question {
	return pg.One(into, `
		SELECT coalesce(t.title, '') AS title, coalesce(t.description, '') AS description,
			coalesce(t.seo_title, '') AS seo_title, coalesce(t.seo_description, '') AS seo_description,
			p.slug, p.brand, p.status, p.publish_at, p.tags,
			ARRAY(SELECT category_id FROM product_category WHERE product_id = p.id ORDER BY 1) AS categories,
			p.minimum_age, p.pickup, p.ship, p.origin_country, p.customs_code
		FROM product p
		LEFT JOIN product_text t ON t.product_id = p.id AND t.language = $2
		WHERE p.id = $1`, productID, language)
}

// Fields are a product's head as a form has it; times are local to zone.
func (h Head) Fields(zone *time.Location) map[string]string {
	f := map[string]string{"title": h.Title, "description": h.Description, "seo_title": h.SEOTitle,
		"seo_description": h.SEODescription, "slug": h.Slug, "brand": h.Brand, "status": h.Status,
		"tags": strings.Join(h.Tags, ", "), "categories": joinIDs(h.Categories), "minimum_age": "",
		"pickup": flag(h.Pickup), "ship": flag(h.Ship), "origin_country": h.OriginCountry,
		"customs_code": h.CustomsCode, "publish_at": ""}
	if h.MinimumAge > 0 {
		f["minimum_age"] = strconv.Itoa(h.MinimumAge)
	}
	if h.PublishAt != nil {
		f["publish_at"] = h.PublishAt.In(zone).Format(text.LocalTime)
	}
	return f
}

func flag(on bool) string {
	if on {
		return "1"
	}
	return ""
}

func joinIDs(ids []int64) string {
	all := make([]string, len(ids))
	for i, id := range ids {
		all[i] = strconv.FormatInt(id, 10)
	}
	return strings.Join(all, ",")
}

// ReadHead reads a form's fields and says, field by field, what is wrong with them.
func ReadHead(f map[string]string, zone *time.Location, form *fault.Form) Head {
	h := Head{Title: text.Clean(f["title"], maxTitle+1), Description: text.Clean(f["description"], maxDescription+1),
		SEOTitle: text.Clean(f["seo_title"], 101), SEODescription: text.Clean(f["seo_description"], 301),
		Slug: Slug(f["slug"]), Brand: text.Clean(f["brand"], 81), Status: f["status"], Tags: []string{},
		Categories: []int64{}, Pickup: f["pickup"] == "1", Ship: f["ship"] == "1",
		OriginCountry: strings.ToUpper(text.Clean(f["origin_country"], 3)),
		CustomsCode:   strings.NewReplacer(" ", "", ".", "").Replace(text.Clean(f["customs_code"], 30))}
	if h.Title == "" || utf8.RuneCountInString(h.Title) > maxTitle {
		form.Add("title", "Enter a title, up to {most} characters.", text.Args{"most": maxTitle})
	}
	if utf8.RuneCountInString(h.Description) > maxDescription {
		form.Add("description", "That’s too long. Use up to {most} characters.", text.Args{"most": maxDescription})
	}
	for field, most := range map[string]int{"brand": 80, "seo_title": 100, "seo_description": 300} {
		if utf8.RuneCountInString(text.Clean(f[field], most+1)) > most {
			form.Add(field, "That’s too long. Use up to {most} characters.", text.Args{"most": most})
		}
	}
	if h.Slug == "" {
		form.Add("slug", "Enter an address with at least one letter or digit, such as morning-mug.")
	}
	if !slices.Contains(Statuses, h.Status) {
		form.Add("status", "Choose from the list.")
	}
	h.readPublication(f["publish_at"], zone, form)
	for tag := range strings.SplitSeq(f["tags"], ",") {
		if tag = text.Clean(tag, 41); tag != "" && !slices.Contains(h.Tags, tag) {
			h.Tags = append(h.Tags, tag)
		}
	}
	if len(h.Tags) > 50 || slices.ContainsFunc(h.Tags, func(t string) bool { return utf8.RuneCountInString(t) > 40 }) {
		form.Add("tags", "Use up to 50 tags of up to 40 characters each.")
	}
	for id := range strings.SplitSeq(f["categories"], ",") {
		if n, err := strconv.ParseInt(id, 10, 64); err == nil && !slices.Contains(h.Categories, n) {
			h.Categories = append(h.Categories, n)
		}
	}
	if age := strings.TrimSpace(f["minimum_age"]); age != "" {
		var err error
		if h.MinimumAge, err = strconv.Atoi(age); err != nil || h.MinimumAge < 0 || h.MinimumAge > 99 {
			form.Add("minimum_age", "Enter an age in years, such as 18, or leave it empty.")
		}
	}
	if !h.Pickup && !h.Ship {
		form.Add("ship", "Customers need at least one way to get it: collection or delivery.")
	}
	if h.OriginCountry != "" && (len(h.OriginCountry) != 2 ||
		strings.Trim(h.OriginCountry, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "") {
		form.Add("origin_country", "Enter a country as two letters, such as GB.")
	}
	if n := len(h.CustomsCode); n != 0 && (n < 6 || n > 10 || strings.Trim(h.CustomsCode, "0123456789") != "") {
		form.Add("customs_code", "Enter 6 to 10 digits, such as 6912 00 23, or leave it empty.")
	}
	return h
}

const (
	maxTitle       = 255
	maxDescription = 20_000
)

// readPublication reads when a draft goes on sale. What is on sale or archived is not waiting for it.
func (h *Head) readPublication(typed string, zone *time.Location, form *fault.Form) {
	if typed = strings.TrimSpace(typed); typed == "" {
		return
	}
	at, err := time.ParseInLocation(text.LocalTime, typed, zone)
	switch {
	case err != nil || at.Year() < 2000 || at.Year() > 2200:
		form.Add("publish_at", "Enter a day and time, such as 2026-12-01 09:00.")
	case h.Status != "draft":
		form.Add("publish_at", "Only a draft goes on sale by itself. Choose Draft, or leave the time empty.")
	default:
		h.PublishAt = &at
	}
}

// Hold locks a product until the transaction ends; false where there is none.
func Hold(ctx context.Context, tx pgx.Tx, productID int64) (bool, error) {
	if err := mark(ctx, tx, `SELECT id FROM product WHERE id = $1`, productID); err != nil {
		return false, err
	}
	tag, err := tx.Exec(ctx, `SELECT FROM product WHERE id = $1 FOR NO KEY UPDATE`, productID)
	if err != nil {
		return false, fmt.Errorf("hold a product: %w", err)
	}
	return tag.RowsAffected() == 1, nil
}

// SaveHead writes a product's head with its texts in a language. Whoever comes by an address that it had before is
// sent on.
func SaveHead(ctx context.Context, tx pgx.Tx, productID int64, language string, h Head) error {
	args := pgx.NamedArgs{"id": productID, "language": language, "slug": h.Slug, "brand": h.Brand, "status": h.Status,
		"publish_at": h.PublishAt, "tags": h.Tags, "minimum_age": h.MinimumAge, "pickup": h.Pickup, "ship": h.Ship,
		"origin": h.OriginCountry, "customs": h.CustomsCode, "title": h.Title, "description": h.Description,
		"seo_title": h.SEOTitle, "seo_description": h.SEODescription, "categories": h.Categories}
	batch := &pgx.Batch{}
	queueFormerSlug(batch, "product", args)
	batch.Queue(`
		UPDATE product
		SET slug = @slug, brand = @brand, status = @status, publish_at = @publish_at, tags = @tags,
			minimum_age = @minimum_age, pickup = @pickup, ship = @ship, origin_country = @origin,
			customs_code = @customs
		WHERE id = @id`, args)
	batch.Queue(`
		INSERT INTO product_text (product_id, language, title, description, seo_title, seo_description)
		VALUES (@id, @language, @title, @description, @seo_title, @seo_description)
		ON CONFLICT (product_id, language) DO UPDATE
		SET title = @title, description = @description, seo_title = @seo_title, seo_description = @seo_description`,
		args)
	batch.Queue(`
		DELETE FROM product_category
		WHERE product_id = @id AND NOT category_id = ANY (@categories)`, args)
	batch.Queue(`
		INSERT INTO product_category (product_id, category_id)
		SELECT @id, id
		FROM category
		WHERE id = ANY (@categories)
		ON CONFLICT DO NOTHING`, args)
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return slugFault(err, "save a product")
	}
	return Index(ctx, tx, productID)
}

// queueFormerSlug keeps the address that something is about to lose, and takes the new one from whatever had it
// before.
func queueFormerSlug(batch *pgx.Batch, table string, args pgx.NamedArgs) {
	batch.Queue(`
		INSERT INTO former_slug (kind, slug, subject_id)
		SELECT '`+table+`', slug, id
		FROM `+table+`
		WHERE id = @id AND slug <> @slug
		ON CONFLICT (kind, slug) DO UPDATE SET subject_id = excluded.subject_id`, args)
	batch.Queue(`DELETE FROM former_slug WHERE kind = '`+table+`' AND slug = @slug`, args)
}

// slugFault says that an address is taken.
func slugFault(err error, what string) error {
	var violated *pgconn.PgError
	if errors.As(err, &violated) && violated.Code == "23505" && strings.HasSuffix(violated.ConstraintName, "_slug_key") {
		return fault.Field("slug", "Another page has this address already. Choose another.")
	}
	return fmt.Errorf("%s: %w", what, err)
}

// FormerSlug is where a product or department that had an address before is now; empty where none had it.
func FormerSlug(ctx context.Context, db pg.DB, kind, slug string) (now string, err error) {
	table := map[string]string{"product": "product", "category": "category"}[kind]
	err = db.QueryRow(ctx, `
		SELECT coalesce((
			SELECT is_now.slug
			FROM former_slug f
			JOIN `+table+` is_now ON is_now.id = f.subject_id
			WHERE f.kind = $1 AND f.slug = $2), '')`, kind, slug).Scan(&now)
	if err != nil {
		return "", fmt.Errorf("look up a former address: %w", err)
	}
	return now, nil
}

// Publish puts drafts on sale whose time has come. One without a price has to wait for it.
func Publish(ctx context.Context, db pg.DB) error {
	_, err := db.Exec(ctx, `
		UPDATE product
		SET status = 'active', publish_at = NULL
		WHERE publish_at <= now() AND status = 'draft' AND EXISTS (SELECT FROM variant v JOIN price p
			ON p.variant_id = v.id AND p.valid @> now() WHERE v.product_id = product.id AND v.active)`)
	if err != nil {
		return fmt.Errorf("publish products: %w", err)
	}
	return nil
}

// Index writes what people also type when they look for a product (brand, departments, tags, options, attributes), and
// its words for the search that mends spelling. It follows every change of these.
func Index(ctx context.Context, tx pgx.Tx, productID int64) error {
	_, err := tx.Exec(ctx, `
		WITH RECURSIVE up AS (
			SELECT category_id AS id FROM product_category WHERE product_id = $1
			UNION
			SELECT c.parent_id FROM category c JOIN up ON up.id = c.id WHERE c.parent_id IS NOT NULL),
		indexed AS (
			UPDATE product_text t
			SET keywords = k.words
			FROM (
				SELECT t.language, concat_ws(' ', nullif(p.brand, ''), (
						SELECT string_agg(ct.name, ' ')
						FROM up
						JOIN category_text ct ON ct.category_id = up.id AND ct.language IN (t.language, 'en')),
					array_to_string(p.tags, ' '), (
						SELECT string_agg(DISTINCT value, ' ')
						FROM variant v
						CROSS JOIN LATERAL unnest(v.options) AS value
						WHERE v.product_id = p.id AND v.active),
					array_to_string(p.facet_values, ' ')) AS words
				FROM product p
				JOIN product_text t ON t.product_id = p.id
				WHERE p.id = $1) k
			WHERE t.product_id = $1 AND t.language = k.language
			RETURNING t.title || ' ' || t.keywords AS words)
		INSERT INTO search_word (word)
		SELECT DISTINCT word
		FROM indexed
		CROSS JOIN LATERAL regexp_split_to_table(lower(indexed.words), '[^[:alnum:]]+') AS word
		WHERE length(word) BETWEEN 3 AND 40
		ORDER BY word
		ON CONFLICT DO NOTHING`, productID)
	if err != nil {
		return fmt.Errorf("index a product: %w", err)
	}
	return nil
}
