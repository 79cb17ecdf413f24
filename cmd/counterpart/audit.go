package main

import (
	"context"
	"errors"
	"fmt"

	books "counterpart/internal/proof/audit"
)

type audit struct{}

func (audit) Run(ctx context.Context) (err error) {
	_, db, err := open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	findings, err := books.Run(ctx, db.Pool)
	if err != nil {
		return err
	}
	for _, f := range findings {
		fmt.Printf("%s: %s\n", f.Rule, f.Detail)
	}
	if len(findings) > 0 {
		return fmt.Errorf("%d rows break a rule", len(findings))
	}
	fmt.Printf("All %d rules hold.\n", len(books.Rules))
	return nil
}
