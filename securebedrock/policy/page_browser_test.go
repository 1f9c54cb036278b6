package policy

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// browser finds Chromium. CI must have it: a root's CI installs Debian's package.
func browser(t *testing.T) string {
	t.Helper()
	find := func() string {
		for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"} {
			if path, err := exec.LookPath(name); err == nil {
				return path
			}
		}
		return ""
	}
	path := find()
	apt, err := exec.LookPath("apt-get")
	switch {
	case path != "":
		return path
	case os.Getenv("CI") == "":
		t.Skip("no Chromium is installed, so that the page is not looked at; install the package chromium")
	case err != nil || os.Getuid() != 0:
		t.Fatal("no Chromium is installed: install the package chromium, or run as root where apt-get is")
	}
	for _, args := range [][]string{{"update", "-q"}, {"install", "-y", "-q", "--no-install-recommends", "chromium"}} {
		cmd := exec.Command(apt, args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("apt-get %v: %v\n%s", args, err, out)
		}
	}
	if path = find(); path == "" {
		t.Fatal("apt-get has installed no chromium")
	}
	return path
}

// probeHTML opens each page in a frame of the wanted width, which is the page's
// viewport, and tells what it sees.
const probeHTML = `<!doctype html><title>probe</title><body><script>
const all = [];
function channels(color) { return color.match(/[\d.]+/g).map(Number); }
function luminance([r, g, b]) {
  const [x, y, z] = [r, g, b].map(c => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  return 0.2126 * x + 0.7152 * y + 0.0722 * z;
}
function behind(view, e) {
  for (; e; e = e.parentElement) {
    const c = channels(view.getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > 0) return c;
  }
  return [255, 255, 255];
}
function probe(page, WIDTH) {
const seen = {faults: [], links: [], text: 0};
all.push(seen);
const frame = document.createElement("iframe");
frame.style.cssText = "border:0;width:" + WIDTH + "px;height:900px";
frame.onload = () => {
  const view = frame.contentWindow, doc = frame.contentDocument, root = doc.documentElement;
  const fault = (what, e) => seen.faults.push(what + (e ? ": <" + e.tagName.toLowerCase() + "> " + e.textContent.trim().slice(0, 60) : ""));
  if (view.innerWidth !== WIDTH) fault("the viewport is " + view.innerWidth + " wide");
  const summaries = [...doc.querySelectorAll("summary")];
  for (const opened of [false, true]) {
    if (opened) for (const s of summaries) { s.click(); if (!s.parentElement.open) fault("a click opens nothing", s); }
    if (root.scrollWidth > view.innerWidth) fault("the page is " + root.scrollWidth + " wide in " + view.innerWidth);
    for (const e of doc.querySelectorAll("body *")) {
      const box = e.getBoundingClientRect();
      if (!e.closest("pre") && box.width > 0 && box.right > view.innerWidth + 0.5) fault("cut off at the right", e);
      if (e.tagName !== "PRE" && !e.closest("pre") && e.scrollWidth > e.clientWidth + 1 && view.getComputedStyle(e).display !== "inline") fault("wider than its box", e);
      const own = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
      if (!own || e.tagName === "METER" || !e.checkVisibility()) continue;
      seen.text++;
      const style = view.getComputedStyle(e);
      const [a, b] = [luminance(channels(style.color)), luminance(behind(view, e))];
      const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      if (contrast < 4.5) fault("contrast " + contrast.toFixed(2), e);
      if (parseFloat(style.fontSize) < 12) fault("text of " + style.fontSize, e);
    }
  }
  let level = 0;
  for (const h of doc.querySelectorAll("h1,h2,h3,h4")) {
    const l = Number(h.tagName[1]);
    if (l > level + 1) fault("a level of headings is left out", h);
    level = l;
  }
  if (doc.querySelectorAll("h1").length !== 1) fault("there is not one h1");
  if (!root.lang || !doc.title) fault("no language or no title");
  for (const table of doc.querySelectorAll("table")) if (!table.caption || !table.querySelector("th[scope]")) fault("a table without caption or headers", table);
  for (const meter of doc.querySelectorAll("meter")) if (!meter.getAttribute("aria-label") || !meter.textContent) fault("a meter without a name", meter);
  const ids = [...doc.querySelectorAll("[id]")].map(e => e.id);
  if (new Set(ids).size !== ids.length) fault("an ID stands twice");
  for (const e of doc.querySelectorAll("[aria-labelledby]")) if (!doc.getElementById(e.getAttribute("aria-labelledby"))) fault("no label", e);
  for (const a of doc.querySelectorAll("a")) {
    const href = a.getAttribute("href");
    if (!href.startsWith("#")) { seen.links.push(href); continue; }
    const target = doc.getElementById(decodeURIComponent(href.slice(1)));
    if (!target) { fault("a link to nothing", a); continue; }
    a.click();
    const top = target.getBoundingClientRect().top;
    if (view.location.hash !== href || top < -1 || top > view.innerHeight) fault("a link does not lead to its target", a);
  }
};
frame.src = page;
document.body.append(frame);
}
for (const [page, width] of PAGES) probe(page, width);
addEventListener("load", () => { const out = document.createElement("pre"); out.id = "seen"; out.textContent = JSON.stringify(all); document.body.replaceChildren(out); });
</script>`

// view is a page in a width.
type view struct {
	page  string // a path
	width int
}

// seen is what the probe tells of a view.
type seen struct {
	Faults []string
	Links  []string
	Text   int // elements with text
}

// look opens views of a folder in Chromium.
func look(t *testing.T, chromium, server string, dark bool, views ...view) []seen {
	t.Helper()
	home, err := os.MkdirTemp("", "chromium-") //nolint:usetesting // a helper process may write after the test, which TempDir would report
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(home) }()
	pages := make([][2]any, len(views))
	for i, v := range views {
		pages[i] = [2]any{v.page, v.width}
	}
	list, err := json.Marshal(pages)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	args := []string{"--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
		"--window-size=1600,1000", "--user-data-dir=" + home, "--dump-dom"}
	if dark {
		args = append(args, "--blink-settings=preferredColorScheme=0")
	}
	cmd := exec.CommandContext(ctx, chromium, append(args, server+"/probe?pages="+url.QueryEscape(string(list)))...)
	cmd.WaitDelay = 5 * time.Second
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	_, found, ok := strings.Cut(string(out), `<pre id="seen">`)
	found, _, _ = strings.Cut(found, "</pre>")
	var all []seen
	if !ok || json.Unmarshal([]byte(html.UnescapeString(found)), &all) != nil || len(all) != len(views) {
		t.Fatalf("%v: %s\n%s", err, out, stderr.String())
	}
	return all
}

// site serves a folder, and the probe of pages in it.
func site(t *testing.T, dir string) *httptest.Server {
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServer(http.Dir(dir)))
	mux.HandleFunc("/probe", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, strings.Replace(probeHTML, "PAGES", r.FormValue("pages"), 1))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

// Chromium finds no broken link, nothing wider than the window, no text that is hard to
// read, and a structure that a screen reader can follow, wide and narrow, dark and
// light.
func TestPageInBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts a browser")
	}
	chromium := browser(t)
	dir := t.TempDir()
	all := configurations()
	everything := all[len(all)-1]
	spec, err := For(everything.opts, everything.acct)
	if err != nil {
		t.Fatal(err)
	}
	if err := WriteDir(filepath.Join(dir, "all"), spec); err != nil {
		t.Fatal(err)
	}
	// Long words are what a narrow page breaks on.
	long := samples()
	long[0].Name = strings.Repeat("a", 100)
	long[1].Purpose = strings.Repeat("long", 100)
	long[2].Attach = "arn:aws:iam::123456789012:role/" + strings.Repeat("x", 64)
	strained := sampleSpec()
	strained.opts.Unguarded = strings.Repeat("reason", 50)
	files, err := folder(strained, long)
	if err != nil {
		t.Fatal(err)
	}
	if err := writeFiles(filepath.Join(dir, "samples"), files); err != nil {
		t.Fatal(err)
	}
	put(t, dir, "bad.html", badHTML)
	server := site(t, dir)
	for _, dark := range []bool{false, true} {
		views := []view{{"/all/index.html", 1280}, {"/all/index.html", 390}, {"/samples/index.html", 1280}, {"/samples/index.html", 390}, {"/samples/index.html", 320}, {"/bad.html", 390}}
		seen := look(t, chromium, server.URL, dark, views...)

		// The probe sees what it is there for.
		last := len(views) - 1
		faults := strings.Join(seen[last].Faults, "\n")
		for _, want := range []string{"a level of headings", "the page is 5", "cut off", "wider than its box", "contrast 1.", "text of 8px", "a link to nothing", "a table without", "an ID stands twice"} {
			if !strings.Contains(faults, want) {
				t.Errorf("the probe does not see %q in\n%s", want, faults)
			}
		}
		for i, v := range views[:last] {
			for _, f := range seen[i].Faults {
				t.Errorf("%s at %d px, dark %t: %s", v.page, v.width, dark, f)
			}
			if seen[i].Text < 100 || len(seen[i].Links) < 10 {
				t.Errorf("%s at %d px: the probe saw %d texts and %d links to files", v.page, v.width, seen[i].Text, len(seen[i].Links))
			}
			for _, href := range seen[i].Links {
				if _, err := os.Stat(filepath.Join(dir, filepath.Dir(v.page), filepath.FromSlash(href))); err != nil {
					t.Errorf("%s: the link %s is broken", v.page, href)
				}
			}
		}
	}
}

const badHTML = `<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><title>bad</title><body style="background:#fff;color:#000">
<h1>One</h1><h3>Three</h3><div style="width:500px">wide</div><p style="color:#bbb">pale</p><p style="font-size:8px">tiny</p>
<div style="width:90px"><span style="display:inline-block;width:200px">inner</span></div><a href="#nowhere">gone</a><table><tr><td>x</td></tr></table><p id="a"></p><p id="a"></p></body></html>`
