package pg

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// Server is a Postgres of our own in a folder: reached over a Unix socket only, shared by every process that uses the
// folder, stopped by the last of them.
type Server struct {
	URL string

	dir     string
	socket  string
	users   *os.File // a shared lock is held on it for as long as we use the server
	as      *account
	options Options
}

// Options of a server. Disposable gives up durability for speed: for tests, never for a shop.
type Options struct {
	Disposable bool
}

// Start brings up the server of a folder, or joins the one that is running there already.
func Start(ctx context.Context, dir string, options Options) (*Server, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the database folder: %w", err)
	}
	as, err := unprivileged()
	if err != nil {
		return nil, err
	}
	socket, err := socketFolder(dir, as)
	if err != nil {
		return nil, err
	}
	server := &Server{dir: dir, socket: socket, URL: socketURL(socket, "counterpart"), as: as, options: options}

	starting, err := lock(filepath.Join(dir, "starting.lock"), syscall.LOCK_EX)
	if err != nil {
		return nil, err
	}
	defer starting.Close()
	server.users, err = lock(filepath.Join(dir, "users.lock"), syscall.LOCK_SH)
	if err != nil {
		return nil, err
	}
	if err := server.bringUp(ctx, as, options); err != nil {
		server.users.Close()
		return nil, err
	}
	return server, nil
}

func (s *Server) bringUp(ctx context.Context, as *account, options Options) error {
	if s.answers(ctx) {
		return s.createDatabase(ctx)
	}
	if err := s.clearAfterCrash(ctx); err != nil {
		return err
	}
	if s.answers(ctx) {
		return s.createDatabase(ctx)
	}
	bin, err := findBinaries(ctx, s.cluster(), as)
	if err != nil {
		return err
	}
	if err := s.initialise(ctx, bin, as); err != nil {
		return err
	}
	if err := s.launch(ctx, bin, as, options); err != nil {
		return err
	}
	return s.createDatabase(ctx)
}

// Supervise starts the server again when its process is gone, until the context ends: at once, then with longer and
// longer pauses while it does not come up.
func (s *Server) Supervise(ctx context.Context) {
	go func() {
		const pause = 500 * time.Millisecond
		for wait := pause; ; {
			select {
			case <-ctx.Done():
				return
			case <-time.After(wait):
			}
			if pid, ok := s.pid(); ok && syscall.Kill(pid, 0) == nil {
				wait = pause
				continue
			}
			slog.ErrorContext(ctx, "the database is gone: it is started again", "folder", s.dir)
			if err := s.restart(ctx); err != nil {
				wait = min(2*wait, 30*time.Second)
				slog.ErrorContext(ctx, "the database does not start", "error", err, "again_in", wait)
				continue
			}
			slog.InfoContext(ctx, "the database is back", "folder", s.dir)
			wait = pause
		}
	}()
}

func (s *Server) restart(ctx context.Context) error {
	starting, err := lock(filepath.Join(s.dir, "starting.lock"), syscall.LOCK_EX)
	if err != nil {
		return err
	}
	defer starting.Close()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return s.bringUp(ctx, s.as, s.options)
}

// Stop leaves the server; whoever leaves last shuts it down and waits for it.
func (s *Server) Stop() error {
	starting, err := lock(filepath.Join(s.dir, "starting.lock"), syscall.LOCK_EX)
	if err != nil {
		return err
	}
	defer starting.Close()
	defer s.users.Close()
	if err := syscall.Flock(int(s.users.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil // Somebody else still uses it.
	}
	pid, ok := s.pid()
	if !ok {
		return nil
	}
	// SIGINT is Postgres's fast shutdown: sessions are closed, nothing is lost.
	if err := syscall.Kill(pid, syscall.SIGINT); err != nil {
		return fmt.Errorf("stop the database: %w", err)
	}
	for range 1500 {
		// The file goes a moment before the process does, and whoever was told that it stopped may start the next one
		// at once.
		if _, err := os.Stat(filepath.Join(s.cluster(), "postmaster.pid")); errors.Is(err, fs.ErrNotExist) &&
			!isPostgres(pid) {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return errors.New("the database did not stop within 30 seconds")
}

func (s *Server) cluster() string { return filepath.Join(s.dir, "cluster") }

func (s *Server) pid() (int, bool) {
	body, err := os.ReadFile(filepath.Join(s.cluster(), "postmaster.pid"))
	if err != nil {
		return 0, false
	}
	first, _, _ := strings.Cut(string(body), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	return pid, err == nil && pid > 1
}

// answers says whether a server of this very folder is ready.
func (s *Server) answers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, socketURL(s.socket, "postgres"))
	if err != nil {
		return false
	}
	defer conn.Close(ctx)
	var folder string
	return conn.QueryRow(ctx, `SHOW data_directory`).Scan(&folder) == nil && folder == s.cluster()
}

// clearAfterCrash deals with what a kill -9 or a power cut leaves: a server that is still coming up is waited for; a
// pid file whose process is gone, a zombie, or somebody else's by now, is removed with the socket's lock file.
func (s *Server) clearAfterCrash(ctx context.Context) error {
	pid, ok := s.pid()
	for range 100 {
		if !ok || !isPostgres(pid) {
			break
		}
		if s.answers(ctx) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
		pid, ok = s.pid()
	}
	if ok && isPostgres(pid) {
		return fmt.Errorf("a database with process %d uses %s but does not answer", pid, s.dir)
	}
	for _, name := range []string{filepath.Join(s.cluster(), "postmaster.pid"),
		filepath.Join(s.socket, ".s.PGSQL.5432.lock"), filepath.Join(s.socket, ".s.PGSQL.5432")} {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("clear what a crash left: %w", err)
		}
	}
	return nil
}

func isPostgres(pid int) bool {
	out, err := exec.Command("ps", "-o", "stat=,command=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return false
	}
	line := strings.TrimSpace(string(out))
	return strings.Contains(line, "postgres") && !strings.HasPrefix(line, "Z")
}

// initialise makes the cluster beside its place and renames it, so that an interrupted one is never taken for whole.
func (s *Server) initialise(ctx context.Context, bin string, as *account) error {
	if _, err := os.Stat(filepath.Join(s.cluster(), "PG_VERSION")); err == nil {
		return nil
	}
	fresh := s.cluster() + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return err
	}
	if err := os.Mkdir(fresh, 0o700); err != nil {
		return err
	}
	if err := as.own(fresh); err != nil {
		return err
	}
	command := as.command(ctx, fresh, filepath.Join(bin, "initdb"),
		"--pgdata="+fresh, "--username=counterpart", "--auth=trust", "--encoding=UTF8", "--no-instructions",
		"--locale="+systemLocale(), "--locale-provider=icu", "--icu-locale=und")
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("make the database: %w\n%s", err, out)
	}
	return os.Rename(fresh, s.cluster())
}

func (s *Server) launch(ctx context.Context, bin string, as *account, options Options) error {
	log, err := os.OpenFile(filepath.Join(s.dir, "postgres.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	args := []string{"-D", s.cluster(), "-k", s.socket, "-c", "listen_addresses=", "-c", "max_connections=200",
		"-c", "shared_buffers=128MB", "-c", "unix_socket_permissions=0700", "-c", "log_min_messages=warning"}
	if options.Disposable {
		args = append(args, "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
	}
	// Not the caller's context: the server outlives this process when another one joined it.
	command := as.command(context.WithoutCancel(ctx), s.cluster(), filepath.Join(bin, "postgres"), args...)
	command.Stdout, command.Stderr = log, log
	if err := command.Start(); err != nil {
		return fmt.Errorf("start the database: %w", err)
	}
	exited := make(chan error, 1)
	go func() { exited <- command.Wait() }()
	deadline := time.After(60 * time.Second)
	for {
		if s.answers(ctx) {
			return nil
		}
		select {
		case err := <-exited:
			return fmt.Errorf("the database stopped at once (%v); its log is %s", err, log.Name())
		case <-deadline:
			return fmt.Errorf("the database did not answer within a minute; its log is %s", log.Name())
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(15 * time.Millisecond):
		}
	}
}

func (s *Server) createDatabase(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, socketURL(s.socket, "postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	var exists bool
	if err := conn.QueryRow(ctx,
		`SELECT EXISTS (SELECT FROM pg_database WHERE datname = 'counterpart')`).Scan(&exists); err != nil || exists {
		return err
	}
	_, err = conn.Exec(ctx, `CREATE DATABASE counterpart`)
	return err
}

func socketURL(socket, database string) string {
	return "postgres:///" + database + "?" + url.Values{"host": {socket}, "user": {"counterpart"},
		"sslmode": {"disable"}}.Encode()
}

// ours says whether a host is the socket of a server that we started.
func ours(host string) bool {
	return strings.HasPrefix(host, filepath.Join(os.TempDir(), "counterpart-"))
}

// socketFolder is short, because a socket's path may have 104 bytes, and closed to others, because whoever reaches the
// socket is trusted.
func socketFolder(dir string, as *account) (string, error) {
	sum := sha256.Sum256([]byte(dir))
	folder := filepath.Join(os.TempDir(), fmt.Sprintf("counterpart-%d-%s", as.uid, hex.EncodeToString(sum[:5])))
	if err := os.Mkdir(folder, 0o700); err == nil {
		return folder, as.own(folder)
	} else if !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	info, err := os.Lstat(folder)
	if err != nil {
		return "", err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.IsDir() || info.Mode().Perm() != 0o700 || int(stat.Uid) != as.uid {
		return "", fmt.Errorf("%s is not ours: remove it", folder)
	}
	return folder, nil
}

// lock opens a file and waits for a lock on it. It is let go when the file is closed, also by a crash.
func lock(name string, how int) (*os.File, error) {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), how); err != nil {
		file.Close()
		return nil, fmt.Errorf("lock %s: %w", name, err)
	}
	return file, nil
}

// An account is who runs the server: ourselves, or an ordinary user when we are root, which Postgres refuses.
type account struct {
	uid, gid int
	drop     bool
}

func unprivileged() (*account, error) {
	if os.Geteuid() != 0 {
		return &account{uid: os.Geteuid(), gid: os.Getegid()}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.Atoi(u.Uid)
		gid, err2 := strconv.Atoi(u.Gid)
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		return &account{uid: uid, gid: gid, drop: true}, nil
	}
	return nil, errors.New("a database does not run as root, and there is no user postgres or nobody to run it as")
}

func (a *account) own(name string) error {
	if !a.drop {
		return nil
	}
	return os.Chown(name, a.uid, a.gid)
}

// command runs a program as the account, in a session of its own so that Ctrl-C reaches us and not the database.
// The shell's cd happens after exec, when the capability to pass a closed parent folder such as /root is in force.
func (a *account) command(ctx context.Context, dir, name string, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, "/bin/sh", append([]string{"-c", `cd "$0" && exec "$@"`, dir, name},
		args...)...)
	command.Dir = "/"
	command.Env = append(os.Environ(), "LC_ALL="+systemLocale(), "PGDATA=")
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if a.drop {
		a.dropTo(command.SysProcAttr)
	}
	return command
}
