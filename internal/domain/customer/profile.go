package customer

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/origin"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
)

// Address is where something can be sent. Lines are whatever a country writes above the town, one a line.
type Address struct {
	ID                                                  int64
	Name, Lines, Town, Region, Postcode, Country, Phone string
}

// MostAddresses keeps an address book one.
const MostAddresses = 30

// PutAddress writes an address of a person, a new one where the id is 0. One that is not theirs is not found.
func PutAddress(ctx context.Context, tx pgx.Tx, person int64, a Address) error {
	tag, err := tx.Exec(ctx, `
		WITH changed AS (
			UPDATE address
			SET name = @name, lines = @lines, town = @town, region = @region, postcode = @postcode, country = @country,
				phone = @phone
			WHERE id = @id AND customer_id = @person
			RETURNING id),
		added AS (
			INSERT INTO address (customer_id, name, lines, town, region, postcode, country, phone)
			SELECT @person, @name, @lines, @town, @region, @postcode, @country, @phone
			WHERE @id = 0 AND (SELECT count(*) FROM address WHERE customer_id = @person) < @most
			RETURNING id)
		SELECT id FROM changed UNION ALL SELECT id FROM added`, pgx.NamedArgs{
		"person": person, "id": a.ID, "name": a.Name, "lines": a.Lines, "town": a.Town, "region": a.Region, "postcode": a.Postcode, "country": a.Country, "phone": a.Phone, "most": MostAddresses})
	if err != nil {
		return fmt.Errorf("write an address: %w", err)
	}
	if tag.RowsAffected() == 0 {
		if a.ID == 0 {
			return fault.New(fault.Conflict, "The address book is full. Remove an address you don’t need.")
		}
		return fault.New(fault.NotFound, "That address has already been removed.")
	}
	return nil
}

// DropAddress takes an address out of the book.
func DropAddress(ctx context.Context, db pg.DB, person, id int64) error {
	tag, err := db.Exec(ctx, `
		DELETE FROM address
		WHERE id = $2 AND customer_id = $1`, person, id)
	if err != nil {
		return fmt.Errorf("drop an address: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return fault.New(fault.NotFound, "That address has already been removed.")
	}
	return nil
}

// Prefer keeps what somebody said they like or wear; an empty value takes it back.
func Prefer(ctx context.Context, tx pgx.Tx, person int64, name, value string, source origin.Channel) error {
	if _, err := tx.Exec(ctx, `INSERT INTO figure_changed (person) VALUES ($1)`, person); err != nil {
		return fmt.Errorf("note that a preference changed: %w", err)
	}
	if value == "" {
		_, err := tx.Exec(ctx, `
			DELETE FROM preference
			WHERE customer_id IN (`+Members+`) AND name = @name`, pgx.NamedArgs{"person": person, "name": name})
		return err
	}
	tag, err := tx.Exec(ctx, `
		INSERT INTO preference AS p (customer_id, name, value, source)
		SELECT $1, $2, $3, $4
		WHERE (SELECT count(*) FROM preference WHERE customer_id = $1) < 30 OR EXISTS (SELECT FROM preference
			WHERE customer_id = $1 AND name = $2)
		ON CONFLICT (customer_id, name) DO UPDATE SET value = excluded.value, source = excluded.source, at = now()`,
		person, name, value, source)
	if err != nil {
		return fmt.Errorf("keep a preference: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return fault.New(fault.Conflict, "You’ve reached the limit. Remove something first.")
	}
	return nil
}

// Kinds of note. An alert is what a colleague has to know at once; it stands on top until somebody closes it.
var NoteKinds = []string{"note", "visit", "call", "alert"}

// Note is one entry about a customer, its writer's own.
type Note struct {
	ID          int64
	Kind, Body  string
	AssociateID int64
	Author      string
	Store       string
	At          time.Time
}

// Write adds a note. Two who write at once both keep what they wrote, for each entry is a row of its own.
func Write(ctx context.Context, tx pgx.Tx, at origin.Origin, person int64, kind, body string) error {
	body = text.Clean(body, 2000)
	if body == "" {
		return fault.Field("body", "Enter a note for your colleagues.")
	}
	if !slices.Contains(NoteKinds, kind) {
		return fault.Field("kind", "Choose from the list.")
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO note (customer_id, kind, body, associate_id, location_id)
		VALUES ($1, $2, $3, nullif($4::bigint, 0), nullif($5::bigint, 0))`, person, kind, body, at.AssociateID,
		at.LocationID)
	if err != nil {
		return fmt.Errorf("write a note: %w", err)
	}
	return Record(ctx, tx, Fact{CustomerID: person, Kind: Noted, Channel: at.Channel, LocationID: at.LocationID,
		AssociateID: at.AssociateID, Detail: kind})
}

// CloseNote deals with an alert, or strikes out a note. An alert anybody may close, a note its writer only.
func CloseNote(ctx context.Context, db pg.DB, person, noteID, associateID int64) error {
	tag, err := db.Exec(ctx, `
		UPDATE note
		SET closed_at = now(), closed_by = @associate
		WHERE id = @id AND closed_at IS NULL AND (kind = 'alert' OR associate_id = @associate) AND customer_id IN (`+Members+`)`,
		pgx.NamedArgs{"person": person, "id": noteID, "associate": associateID})
	if err != nil {
		return fmt.Errorf("close a note: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return fault.New(fault.NotFound, "That note has been removed, or belongs to a colleague.")
	}
	return nil
}

// Tag adds a word by which customers are grouped, or takes it away.
func Tag(ctx context.Context, tx pgx.Tx, person int64, tag string, on bool) error {
	tag = strings.ToLower(text.Clean(tag, 40))
	if tag == "" {
		return fault.Field("tag", "Enter a tag, such as “trade” or “local artist”.")
	}
	sql := `
		DELETE FROM customer_tag
		WHERE customer_id = $1 AND tag = $2`
	if on {
		sql = `
		INSERT INTO customer_tag (customer_id, tag)
		SELECT $1, $2
		WHERE (SELECT count(*) FROM customer_tag WHERE customer_id = $1) < 30
		ON CONFLICT DO NOTHING`
	}
	if _, err := tx.Exec(ctx, sql, person, tag); err != nil {
		return fmt.Errorf("tag a customer: %w", err)
	}
	return nil
}
