package doctor_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/doctor"
)

// options are those of an installation on this machine in which nothing runs and all is well.
func options(t *testing.T) doctor.Options {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	o := doctor.Options{
		DataDir: dir, Socket: filepath.Join(dir, "nats", "seamark.sock"), Admin: freeAddress(t), Files: 1,
		Disk: doctor.DiskOptions{Dirs: []string{dir}}, MaxClockDifference: time.Second, CertificateLife: 14 * 24 * time.Hour, Timeout: 20 * time.Second,
		Now: time.Now, Root: t.TempDir(),
	}
	o.NATS.Replicas = 1
	return o
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// want wants one finding of a check on a level whose message and advice hold all texts.
func want(t *testing.T, o doctor.Options, level doctor.Level, check string, texts ...string) {
	t.Helper()
	r := doctor.Examine(t.Context(), o)
	for _, f := range r.Findings {
		holds := f.Level == level && f.Check == check
		for _, text := range texts {
			holds = holds && strings.Contains(f.Message+" "+f.Advice, text)
		}
		if holds {
			if (f.Level == doctor.OK) != (f.Advice == "") {
				t.Errorf("%+v: advice is for what is not ok, and only for that", f)
			}
			return
		}
	}
	var b strings.Builder
	_ = r.WriteText(&b)
	t.Errorf("no %s of %s with %q in:\n%s", level, check, texts, &b)
}

// TestProcess has a running server look at itself: not at what it would do at a start, and at no engine.
func TestProcess(t *testing.T) {
	o := options(t)
	o.Settings = errors.New("--data-dir must be set")
	found := map[string]bool{}
	for _, f := range doctor.ExamineProcess(o).Findings {
		found[f.Check] = true
	}
	for check, is := range map[string]bool{
		"disk": true, "files": true, "settings": false, "server": false, "address": false, "nats": false, "streams": false, "clickhouse": false,
	} {
		if found[check] != is {
			t.Errorf("the check %s was made: %t, want %t", check, found[check], is)
		}
	}
}

func TestSettings(t *testing.T) {
	o := options(t)
	want(t, o, doctor.OK, "settings")
	o.Settings = errors.Join(errors.New("--bus.shards is 0; it must be 1 to 64"), errors.New("--data-dir must be set"))
	want(t, o, doctor.Failure, "settings", "--bus.shards is 0")
	want(t, o, doctor.Failure, "settings", "--data-dir must be set")
}

func TestAddresses(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	for _, c := range []struct {
		addr  string
		level doctor.Level
		text  string
	}{
		{taken.Addr().String(), doctor.Failure, "is taken by another program"},
		{freeAddress(t), doctor.OK, "is free"},
		{"127.0.0.1:0", doctor.OK, "the system chooses"},
		{"192.0.2.7:4480", doctor.Failure, "this machine has no address 192.0.2.7"},
		{"no-such-host.invalid:4480", doctor.Failure, "cannot be resolved"},
	} {
		o := options(t)
		o.Addresses = []doctor.Address{{Flag: "http.listen", Addr: c.addr}}
		want(t, o, c.level, "address", "--http.listen "+c.addr, c.text)
	}
}

func TestServer(t *testing.T) {
	for _, c := range []struct {
		status int
		text   string
		level  doctor.Level
		want   string
	}{
		{http.StatusOK, "ready\n", doctor.OK, "is ready"},
		{http.StatusOK, "ready\nstale: 3 s behind\n", doctor.Warning, "stale: 3 s behind"},
		{http.StatusServiceUnavailable, "NATS is not connected", doctor.Failure, "NATS is not connected"},
		{http.StatusOK, "<html>", doctor.Failure, "is no Seamark"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/readyz" {
				t.Errorf("the doctor asked for %s", r.URL)
			}
			w.WriteHeader(c.status)
			_, _ = w.Write([]byte(c.text))
		}))
		o := options(t)
		o.Admin = server.Listener.Addr().String()
		o.Addresses = []doctor.Address{{Flag: "admin.listen", Addr: o.Admin}}
		want(t, o, c.level, "server", c.want)
		if c.want == "is ready" {
			want(t, o, doctor.OK, "address", "is served")
			o.Addresses = []doctor.Address{{Flag: "http.listen", Addr: freeAddress(t)}}
			want(t, o, doctor.Warning, "address", "the server that runs does not listen there")
		}
		server.Close()
	}
}

// TestServerThatHangs gives the data folder's lock to a process that answers nobody.
func TestServerThatHangs(t *testing.T) {
	o := options(t)
	lock := filepath.Join(o.DataDir, "lock")
	put(t, lock, "")
	info, err := os.Stat(lock)
	if err != nil {
		t.Fatal(err)
	}
	inode := info.Sys().(*syscall.Stat_t).Ino
	put(t, filepath.Join(o.Root, "proc", "locks"), fmt.Sprintf("1: POSIX  ADVISORY  WRITE 77 fd:01:%d 0 EOF\n2: FLOCK  ADVISORY  WRITE 4711 fd:01:%d 0 EOF\n", inode, inode))
	want(t, o, doctor.Failure, "server", "process 4711 works in "+o.DataDir)
	want(t, o, doctor.Failure, "nats", "the embedded NATS does not answer")
}

func TestCertificates(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		from, till time.Time
		level      doctor.Level
		text       string
	}{
		{now.Add(-time.Hour), now.Add(90 * 24 * time.Hour), doctor.OK, "is good until"},
		{now.Add(-time.Hour), now.Add(13 * 24 * time.Hour), doctor.Warning, "expires at"},
		{now.Add(-2 * time.Hour), now.Add(-time.Hour), doctor.Failure, "has expired at"},
		{now.Add(time.Hour), now.Add(90 * 24 * time.Hour), doctor.Failure, "is good from"},
	} {
		o := options(t)
		cert, key := certificate(t, c.from, c.till)
		o.Certificates = []doctor.Certificate{{Flag: "http.tls-cert-file", File: cert, Key: key}, {Flag: "http.tls-client-ca-file", File: cert}}
		want(t, o, c.level, "certificate", "--http.tls-cert-file", "seamark.test", c.text)
		want(t, o, c.level, "certificate", "--http.tls-client-ca-file", c.text)
	}
}

func TestCertificatesThatCannotBeUsed(t *testing.T) {
	cert, key := certificate(t, time.Now(), time.Now().Add(time.Hour))
	_, other := certificate(t, time.Now(), time.Now().Add(time.Hour))
	for _, c := range []struct {
		certificate doctor.Certificate
		text        string
	}{
		{doctor.Certificate{File: cert, Key: other}, "private key does not match"},
		{doctor.Certificate{File: cert + ".none", Key: key}, "no such file"},
		{doctor.Certificate{File: key}, "no certificate in PEM form"},
	} {
		o := options(t)
		o.Certificates = []doctor.Certificate{c.certificate}
		want(t, o, doctor.Failure, "certificate", c.text)
	}
	if err := os.Chmod(key, 0o644); err != nil {
		t.Fatal(err)
	}
	o := options(t)
	o.Certificates = []doctor.Certificate{{File: cert, Key: key}}
	want(t, o, doctor.Warning, "certificate", "every user of this machine may use "+key)
}

// certificate writes a certificate for seamark.test and its key.
func certificate(t *testing.T, from, till time.Time) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "seamark.test"}, NotBefore: from, NotAfter: till}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	put(t, certFile, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	put(t, keyFile, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
	return certFile, keyFile
}

func put(t *testing.T, name, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), os.WriteFile(name, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
}

func TestRootKey(t *testing.T) {
	file := filepath.Join(t.TempDir(), "root.key")
	for _, c := range []struct {
		key   doctor.RootKey
		level doctor.Level
		text  string
	}{
		{doctor.RootKey{Needed: true, Given: true}, doctor.OK, "environment"},
		{doctor.RootKey{Needed: true}, doctor.Failure, "there is none"},
		{doctor.RootKey{Needed: true, File: file, Made: true}, doctor.OK, "made at the first start"},
		{doctor.RootKey{Needed: true, File: file}, doctor.Failure, "no such file"},
	} {
		o := options(t)
		o.RootKey = c.key
		want(t, o, c.level, "root-key", c.text)
	}
	put(t, file, "key")
	o := options(t)
	o.RootKey = doctor.RootKey{Needed: true, File: file}
	want(t, o, doctor.OK, "root-key", "for its owner alone")
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	want(t, o, doctor.Warning, "root-key", "0644", "chmod o= "+file)
}

func TestDisk(t *testing.T) {
	o := options(t)
	want(t, o, doctor.OK, "disk", "are free")
	want(t, o, doctor.OK, "inodes", "are free")
	o.Disk.MinFreePercent, o.Disk.MaxReserveBytes, o.Disk.MinFreeInodesPercent = 100, 1<<62, 100 // more than any disk has
	want(t, o, doctor.Failure, "disk", "below the reserve", "--disk.min-free-percent")
	want(t, o, doctor.Failure, "inodes", "below 100 %")
	o.Disk.Dirs = []string{filepath.Join(o.DataDir, "not", "yet")}
	want(t, o, doctor.Failure, "disk", "not/yet", "below the reserve")
	put(t, filepath.Join(o.DataDir, "file"), "")
	o.Disk.Dirs = []string{filepath.Join(o.DataDir, "file")}
	want(t, o, doctor.Failure, "folder", "is a file")
	if err := os.Chmod(o.DataDir, 0o755); err != nil {
		t.Fatal(err)
	}
	o.Disk.Dirs = []string{o.DataDir}
	want(t, o, doctor.Warning, "folder", "every user of this machine may enter")
}

// TestMount has disks mounted in several ways, of which the folder's own counts.
func TestMount(t *testing.T) {
	o := options(t)
	info := filepath.Join(o.Root, "proc", "self", "mountinfo")
	root := "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard\n"
	for _, c := range []struct {
		mounts string
		level  doctor.Level
		text   string
	}{
		{root, doctor.Warning, "on ext4"},
		{root + "23 22 8:1 / " + o.DataDir + " rw,noatime - xfs /dev/sdb rw,attr2\n", doctor.OK, "xfs without discard"},
		{root + "23 22 8:1 / " + o.DataDir + "2 rw,noatime - xfs /dev/sdb rw,attr2\n", doctor.Warning, "ext4"}, // another folder
		{root + "23 22 8:1 / " + o.DataDir + " rw - xfs /dev/sdb rw\n24 23 8:2 / " + o.DataDir + " rw - btrfs /dev/sdc rw,discard\n", doctor.Warning, "btrfs"},
		{"no mount\n" + root, doctor.Warning, "ext4"},
	} {
		put(t, info, c.mounts)
		want(t, o, c.level, "mount", c.text)
	}
}

func TestMemory(t *testing.T) {
	o := options(t)
	o.MemoryBytes = 2 << 30
	put(t, filepath.Join(o.Root, "proc", "meminfo"), "MemTotal:        4194304 kB\nMemFree:         1 kB\n")
	want(t, o, doctor.OK, "memory", "allow 2 GiB; the machine has 4 GiB")
	put(t, filepath.Join(o.Root, "proc", "self", "cgroup"), "0::/system.slice/seamark.service\n")
	put(t, filepath.Join(o.Root, "sys", "fs", "cgroup", "system.slice", "seamark.service", "memory.max"), "max\n")
	want(t, o, doctor.OK, "memory", "the machine has 4 GiB")
	put(t, filepath.Join(o.Root, "sys", "fs", "cgroup", "system.slice", "memory.max"), "1073741824\n")
	want(t, o, doctor.Warning, "memory", "the control group /system.slice has 1 GiB", "--clickhouse.max-memory-bytes")
	put(t, filepath.Join(o.Root, "proc", "self", "cgroup"), "12:cpu:/\n4:memory:/docker/x\n")
	put(t, filepath.Join(o.Root, "sys", "fs", "cgroup", "memory", "docker", "x", "memory.limit_in_bytes"), "536870912\n")
	want(t, o, doctor.Warning, "memory", "the control group /docker/x has 512 MiB")
}

func TestFiles(t *testing.T) {
	o := options(t)
	want(t, o, doctor.OK, "files", "need up to 1")
	o.Files = 1 << 62
	want(t, o, doctor.Warning, "files", "--http.max-connections")
}

// TestReport wants the worst finding to be the report's level and exit code, in both forms.
func TestReport(t *testing.T) {
	o := options(t)
	o.Settings = errors.New("--data-dir must be set")
	r := doctor.Examine(context.Background(), o)
	if r.Level != doctor.Failure || r.Code() != 2 {
		t.Errorf("with a failure the report has the level %s and the code %d", r.Level, r.Code())
	}
	for level, code := range map[doctor.Level]int{doctor.OK: 0, doctor.Warning: 1, doctor.Failure: 2} {
		if got := (&doctor.Report{Level: level}).Code(); got != code {
			t.Errorf("the code of %s is %d, want %d", level, got, code)
		}
	}
	var text, document strings.Builder
	if err := errors.Join(r.WriteText(&text), r.WriteJSON(&document)); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(text.String(), "\n"); lines != len(r.Findings) {
		t.Errorf("%d lines for %d findings:\n%s", lines, len(r.Findings), &text)
	}
	if !strings.HasPrefix(text.String(), "failure  settings     --data-dir must be set -> ") {
		t.Errorf("the first line is not the failure with its advice:\n%s", &text)
	}
	var back doctor.Report
	if err := json.Unmarshal([]byte(document.String()), &back); err != nil || len(back.Findings) != len(r.Findings) || back.Level != r.Level {
		t.Errorf("the document reads back as %+v, %v", back, err)
	}
}
