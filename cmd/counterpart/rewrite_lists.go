package main

import (
	"context"
	"errors"
	"fmt"

	"counterpart/internal/domain/catalog"
)

type rewriteLists struct{}

func (rewriteLists) Run(ctx context.Context) (err error) {
	_, db, err := open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	n, err := catalog.RewriteCards(ctx, db.Pool)
	if err != nil {
		return err
	}
	fmt.Printf("The lists of %d products are written anew.\n", n)
	return nil
}
