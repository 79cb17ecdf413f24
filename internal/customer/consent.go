package customer

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/fault"
	"counterpart/internal/pg"
)

// Purposes of consent, and the media of the one that has several. What is done in the shop itself has the medium InShop.
const (
	Marketing       = "marketing"
	Personalisation = "personalisation"
	Location        = "location"
	Clienteling     = "clienteling"

	ByMail  = "mail"
	BySMS   = "sms"
	ByPush  = "push"
	ByPhone = "phone"
	InShop  = "shop"
)

// Choice is one thing that can be agreed to, with the sentence that is shown. A changed sentence gets a new version, so that it stays
// known what somebody agreed to.
type Choice struct {
	Purpose, Medium string
	Wording         int
	Title, Sentence string
}

// Choices are all there are, in the order in which they are shown.
var Choices = []Choice{
	{Personalisation, InShop, 1, "Remember what I look at", "Keep the products I view and the words I search for, so that I find them again and see what goes with them."},
	{Clienteling, InShop, 1, "Let staff see it too", "When I am at a counter, staff may see what I looked at, my wish list and my sizes."},
	{Location, InShop, 1, "Use where I am", "Use my position, when my browser gives it, to sort stores by distance. It is not stored."},
	{Marketing, ByMail, 1, "News by mail", "Write to me about new things and offers by mail."},
	{Marketing, BySMS, 1, "News by text message", "Write to me about new things and offers by text message."},
	{Marketing, ByPush, 1, "News on my phone", "Show me new things and offers as notifications on my devices."},
	{Marketing, ByPhone, 1, "Calls", "Call me about new things and offers."},
}

// Consented says whether a person agrees now. Whatever sends, shows or keeps something that needs it asks here at that moment.
func Consented(ctx context.Context, db pg.DB, person int64, purpose, medium string) (given bool, err error) {
	err = db.QueryRow(ctx, `SELECT consented($1, $2, $3)`, person, purpose, medium).Scan(&given)
	if err != nil {
		return false, fmt.Errorf("ask for consent: %w", err)
	}
	return given, nil
}

// Answer gives or withdraws one consent. Saying again what holds already writes nothing. Giving and withdrawing are one call.
type Answer struct {
	Purpose, Medium string
	Given           bool
	Source          string // channel
	AssociateID     int64  // who took it down at a counter; 0: they said it themselves
	LocationID      int64
}

// Say writes a person's answer.
func Say(ctx context.Context, tx pgx.Tx, person int64, a Answer) error {
	i := slices.IndexFunc(Choices, func(c Choice) bool { return c.Purpose == a.Purpose && c.Medium == a.Medium })
	if i < 0 {
		return fault.New(fault.Invalid, "Choose from what is listed.")
	}
	tag, err := tx.Exec(ctx, `
		INSERT INTO consent (customer_id, purpose, medium, given, wording, source, associate_id)
		SELECT @person, @purpose, @medium, @given, @wording, @source, nullif(@associate::bigint, 0)
		WHERE consented(@person, @purpose, @medium) <> @given`, pgx.NamedArgs{
		"person": person, "purpose": a.Purpose, "medium": a.Medium, "given": a.Given, "wording": Choices[i].Wording, "source": a.Source, "associate": a.AssociateID})
	if err != nil {
		return fmt.Errorf("write a consent: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return nil
	}
	kind := Withdrew
	if a.Given {
		kind = Agreed
	}
	return Record(ctx, tx, Fact{CustomerID: person, Kind: kind, Channel: a.Source, LocationID: a.LocationID, AssociateID: a.AssociateID, Detail: a.Purpose + " " + a.Medium})
}
