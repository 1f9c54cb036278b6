package audit

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestACheckpointThatCouldNotBeKeptIsKeptWithTheNext has the checkpoint file fail,
// as a full disk does.
func TestACheckpointThatCouldNotBeKeptIsKeptWithTheNext(t *testing.T) {
	path, keys := filepath.Join(t.TempDir(), "audit.log"), GenerateKeys()
	log, err := Open(path, keys, OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	write := func() {
		t.Helper()
		if err := log.Write(ctx, &Record{Schema: Schema, Kind: KindOutcome, Time: time.Now().UTC()}); err != nil {
			t.Fatal(err)
		}
	}
	write()
	readOnly, err := os.Open(path + ".checkpoints")
	if err != nil {
		t.Fatal(err)
	}
	whole := log.kept.f
	log.kept.f = readOnly
	for range 2 {
		write()
		if err := log.Flush(ctx); err == nil {
			t.Error("Flush says nothing of a checkpoint that could not be kept")
		}
		if err := log.Checkpoint(ctx); err == nil {
			t.Error("Checkpoint says nothing of a checkpoint that could not be kept")
		}
	}
	log.kept.f = whole
	if err := readOnly.Close(); err != nil {
		t.Fatal(err)
	}
	write()
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path + ".checkpoints")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	kept, err := ReadCheckpoints(f)
	if err != nil || len(kept) != 5 {
		t.Fatalf("%d checkpoints are kept, %v; want 5", len(kept), err)
	}
	for i := range kept[1:] {
		if kept[i+1].Seq <= kept[i].Seq {
			t.Errorf("record %d is before record %d", kept[i].Seq, kept[i+1].Seq)
		}
	}
	if report, err := VerifyFile(path, keys); err != nil || !report.OK() {
		t.Errorf("%v %v", report, err)
	}
}

func TestCheckpointsThatWaitAreBounded(t *testing.T) {
	k, _, err := openKeeper(filepath.Join(t.TempDir(), "kept"))
	if err != nil {
		t.Fatal(err)
	}
	whole := k.f
	k.f, _ = os.Open(k.path)
	for i := range 3 * maxUnkept {
		if k.keep(Checkpoint{Stream: "s", Seq: uint64(i)}) == nil {
			t.Fatal("a file that cannot be written was written")
		}
	}
	if n := len(k.unkept); n != maxUnkept || k.unkept[n-1].Seq != 3*maxUnkept-1 {
		t.Errorf("%d checkpoints wait, the last %s", n, fmt.Sprint(k.unkept[n-1].Seq))
	}
	k.f.Close()
	k.f = whole
	if err := k.close(); err != nil {
		t.Error(err)
	}
}
