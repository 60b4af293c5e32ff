package lifecycle_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/internal/testkit"
)

// TestExport takes a tenant along: every line is in the archive once, with its labels, its rules are there, and neither a
// secret nor anything of the tenant beside it.
func TestExport(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 1)
	a, other := f.account("leaver"), f.account("neighbour")
	const secret = "hook-secret-canary"
	f.furnish(a, "canaryexport")
	f.call(0, http.MethodPost, "/api/v1/alerts", a.admin, "alertmanager_config: |\n  route: {receiver: r}\n  receivers: [{name: r, webhook_configs: [{url: 'https://example.org/"+secret+"'}]}]\n", http.StatusCreated)
	f.furnish(other, "canaryneighbour")
	mine, theirs := f.pushing(a, "canaryexport", 1), f.pushing(other, "canaryneighbour", 1)
	testkit.Eventually(t, within, func() error {
		if mine.stored.Load() < 200 || theirs.stored.Load() < 200 {
			return errors.New("few lines were pushed so far")
		}
		return nil
	})
	mine.end()
	theirs.end()
	f.checkStays(a, mine.stored.Load())

	var export struct{ ID, State, Fault string }
	if err := json.Unmarshal([]byte(f.call(0, http.MethodPost, "/api/v1/tenant/exports", a.session, "", http.StatusCreated)), &export); err != nil {
		t.Fatal(err)
	}
	one := "/api/v1/tenant/exports/" + export.ID
	testkit.Eventually(t, within, func() error {
		if err := json.Unmarshal([]byte(f.call(0, http.MethodGet, one, a.session, "", http.StatusOK)), &export); err != nil {
			return err
		}
		if export.State != "done" {
			return fmt.Errorf("the export is %s (%s)", export.State, export.Fault)
		}
		return nil
	})
	f.call(0, http.MethodGet, one+"/archive", other.session, "", http.StatusNotFound)
	files := unpack(t, f.call(0, http.MethodGet, one+"/archive", a.session, "", http.StatusOK))
	lines, labels := 0, false
	for name, text := range files {
		for _, needle := range []string{secret, "canaryneighbour", other.id, password} {
			if strings.Contains(text, needle) {
				t.Errorf("%s holds %q", name, needle)
			}
		}
		switch {
		case strings.HasPrefix(name, "logs/"):
			lines += strings.Count(text, "canaryexport ")
		case strings.HasPrefix(name, "series/"):
			labels = labels || strings.Contains(text, `"canary":"canaryexport"`)
		}
	}
	// A push that the test's end cut off may be stored without having been answered.
	if there := f.sql("SELECT count() FROM " + a.Database() + ".logs"); int64(lines) < mine.stored.Load() || strconv.Itoa(lines) != there {
		t.Errorf("the archive has %d lines; %d were acknowledged and %s are stored", lines, mine.stored.Load(), there)
	}
	if !labels || !strings.Contains(files["configuration.json"], "canaryexport") || files["manifest.ndjson"] == "" {
		t.Errorf("label sets %v, configuration %.500s", labels, files["configuration.json"])
	}
}

// unpack returns the files of an archive, unzipped.
func unpack(t *testing.T, text string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for archive := tar.NewReader(strings.NewReader(text)); ; {
		head, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(archive)
		if err == nil && strings.HasSuffix(head.Name, ".gz") {
			var zipped *gzip.Reader
			if zipped, err = gzip.NewReader(bytes.NewReader(body)); err == nil {
				body, err = io.ReadAll(zipped)
			}
		}
		if err != nil {
			t.Fatalf("%s: %v", head.Name, err)
		}
		files[head.Name] = string(body)
	}
}
