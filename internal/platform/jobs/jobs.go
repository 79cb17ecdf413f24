// Package jobs is what happens soon after: written in the transaction of the fact that causes it, done by River.
package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

// Client works jobs; it is River's.
type Client = river.Client[pgx.Tx]

var inserter = sync.OnceValues(func() (*Client, error) {
	return river.NewClient(riverpgxv5.New(nil), &river.Config{})
})

// Insert writes jobs into the caller's transaction. Arguments carry ids, never names or addresses.
func Insert(ctx context.Context, tx pgx.Tx, all ...river.JobArgs) error {
	client, err := inserter()
	if err != nil {
		return err
	}
	params := make([]river.InsertManyParams, len(all))
	for i, args := range all {
		params[i] = river.InsertManyParams{Args: args}
	}
	if _, err := client.InsertManyFastTx(ctx, tx, params); err != nil {
		return fmt.Errorf("write jobs: %w", err)
	}
	return nil
}

// Queue writes a job as the caller's batch goes out, without a round trip of its own: the row that River writes, as a
// test compares. It has River's own settings, and waits for the next look of a worker, two seconds at most.
func Queue(batch *pgx.Batch, args river.JobArgs) error {
	encoded, err := json.Marshal(args)
	if err != nil {
		return fmt.Errorf("write a job: %w", err)
	}
	batch.Queue(`
		INSERT INTO river_job (kind, args, max_attempts)
		VALUES ($1, $2, $3)`, args.Kind(), encoded, river.MaxAttemptsDefault)
	return nil
}

// QueuePictures is apart, so that a large import never keeps a mail waiting.
const QueuePictures = "pictures"

// Start works jobs until Stop. Two workers draw pictures, eight do the rest.
func Start(ctx context.Context, pool *pgxpool.Pool, workers *river.Workers, periodic []*river.PeriodicJob) (*Client,
	error) {
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{
		Queues: map[string]river.QueueConfig{
			river.QueueDefault: {MaxWorkers: 8, FetchPollInterval: 2 * time.Second},
			// Whoever adds a picture says so; this is for what was missed.
			QueuePictures: {MaxWorkers: 2, FetchPollInterval: 10 * time.Second},
		},
		Workers:      workers,
		PeriodicJobs: periodic,
		Logger:       slog.New(quiet{slog.Default().Handler()}),
		JobTimeout:   2 * time.Minute,
		// The server does not own its indexes, and Postgres keeps them well enough without being told to rebuild them.
		ReindexerSchedule: river.NeverSchedule(),
		// A process that was killed leaves its jobs behind as running: another takes them up when they cannot be
		// running any more.
		RescueStuckJobsAfter: 3 * time.Minute,
	})
	if err != nil {
		return nil, fmt.Errorf("set up jobs: %w", err)
	}
	if err := client.Start(ctx); err != nil {
		return nil, fmt.Errorf("start jobs: %w", err)
	}
	return client, nil
}

// River tells of each start and stop; we only want to hear of trouble.
type quiet struct{ slog.Handler }

func (q quiet) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }
