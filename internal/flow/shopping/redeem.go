package shopping

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/cart"
	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/giftcard"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/promotion"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/limit"
	"counterpart/internal/platform/live"
	"counterpart/internal/platform/pg"
)

// Codes are tried by whoever holds a cart, and by whoever sits behind an address: both are counted. Right ones are
// given back.
var (
	perCart    = limit.Rule{Max: 10, Window: time.Minute}
	perAddress = limit.Rule{Max: 60, Window: 10 * time.Minute}
)

// Strangers are counted by their address, as strictly as anybody.
func (s Shopper) take(ctx context.Context, db pg.DB, what string) error {
	if s.Person == 0 {
		return limit.Attempt(ctx, db, what+":stranger:"+s.Address, perCart)
	}
	if err := limit.Attempt(ctx, db, what+":from:"+s.Address, perAddress); err != nil {
		return err
	}
	return limit.Attempt(ctx, db, what+":by:"+customer.Scope(s.Person), perCart)
}

func (s Shopper) good(ctx context.Context, db pg.DB, what string) {
	// Should this fail, a try is lost for a minute.
	if s.Person == 0 {
		_ = limit.Return(ctx, db, what+":stranger:"+s.Address)
		return
	}
	_ = limit.Return(ctx, db, what+":from:"+s.Address)
	_ = limit.Return(ctx, db, what+":by:"+customer.Scope(s.Person))
}

// UseCode keeps a promotion's code with the open cart. One sentence for every reason why it is none.
func UseCode(ctx context.Context, db pg.DB, s Shopper, typed string) error {
	if err := s.take(ctx, db, "code"); err != nil {
		return err
	}
	code, ok := promotion.ReadCode(typed)
	if ok {
		var err error
		if ok, err = promotion.CodeApplies(ctx, db, code, s.Person); err != nil {
			return err
		}
	}
	if !ok {
		return fault.Field("code", "That code isn’t valid, or has expired.")
	}
	s.good(ctx, db, "code")
	return cart.AddCode(ctx, db, s.Person, code)
}

// LookUpGiftCard looks a gift card up for whoever shows its code. One sentence for every reason why it is none.
func LookUpGiftCard(ctx context.Context, db pg.DB, s Shopper, typed, currency string) (*giftcard.Card, error) {
	if err := s.take(ctx, db, "gift"); err != nil {
		return nil, err
	}
	card, err := giftcard.Find(ctx, db, typed, currency)
	if err != nil {
		return nil, err
	}
	if card == nil {
		return nil, fault.Field("gift_card", "We can’t find a gift card with that code. Check it and try again.")
	}
	s.good(ctx, db, "gift")
	return card, nil
}

// UseGiftCard puts a gift card towards the open cart.
func UseGiftCard(ctx context.Context, db pg.DB, s Shopper, typed, currency string) error {
	card, err := LookUpGiftCard(ctx, db, s, typed, currency)
	if err != nil {
		return err
	}
	return cart.AddGiftCard(ctx, db, s.Person, card.ID)
}

// TakeShared puts what is in somebody's shared cart into the own one. The answer is a new cookie, or "".
func TakeShared(ctx context.Context, db pg.DB, at origin.Origin, s Shopper, word string) (newToken string, err error) {
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		from, owner, err := cart.Shared(ctx, tx, word)
		if err != nil {
			return err
		}
		if from == 0 {
			return fault.New(fault.NotFound, "This cart no longer exists.")
		}
		return s.fill(ctx, tx, at, &newToken, func(id, into int64) error {
			if id == owner {
				return nil
			}
			return cart.Copy(ctx, tx, from, into, at.Channel)
		})
	})
	return newToken, err
}

// OrderAgain puts what an order was made of into the own cart, as far as it is still sold.
func OrderAgain(ctx context.Context, db pg.DB, at origin.Origin, s Shopper, orderID int64) (newToken string,
	err error) {
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		return s.fill(ctx, tx, at, &newToken, func(_, into int64) error {
			return cart.Again(ctx, tx, orderID, into,
				at.Channel)
		})
	})
	return newToken, err
}

func (s Shopper) fill(ctx context.Context, tx pgx.Tx, at origin.Origin, newToken *string,
	with func(id, into int64) error) error {
	id, token, err := s.guest(ctx, tx, at)
	if err != nil {
		return err
	}
	*newToken = token
	into, err := cart.Open(ctx, tx, id, 0, at.Channel)
	if err != nil {
		return err
	}
	if err := with(id, into); err != nil {
		return err
	}
	return live.Notify(ctx, tx, live.Customer(id))
}

// WalkIn makes a customer without a name, with an open cart at a counter: whoever buys there may stay unknown.
func WalkIn(ctx context.Context, db pg.DB, at origin.Origin) (id int64, err error) {
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if id, err = customer.Create(ctx, tx, "", at.Language, at.Channel); err != nil {
			return err
		}
		_, err = cart.Open(ctx, tx, id, at.LocationID, at.Channel)
		return err
	})
	return id, err
}

// Attach gives a sale in progress to a customer: its lines join their cart. A sale that is somebody's already is not
// given away.
func Attach(ctx context.Context, db pg.DB, at origin.Origin, from, into int64) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		anonymous, err := customer.IsWalkIn(ctx, tx, from)
		if err != nil {
			return err
		}
		if !anonymous || from == into {
			return fault.New(fault.Conflict, "This sale already belongs to a customer. Start a new one.")
		}
		if _, err := cart.Join(ctx, tx, from, into, at.Channel); err != nil {
			return err
		}
		return live.Notify(ctx, tx, live.Customer(into))
	})
}
