package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
)

func newAuditVerify() *cobra.Command {
	var keyFile string
	var checkpointFiles, streams []string
	var alone bool
	var verifier audit.Verifier
	c := &cobra.Command{
		Use:   "verify LOG",
		Short: "Verify an audit log",
		Long: `verify reads a log and says which lines were changed, removed, inserted or reordered, and
whether the end of the log is there. The exit code is 1 where the log does not verify.

verify also reads the checkpoints that the application kept beside the log, in
LOG.checkpoints. Who can write there can cut the log back to an earlier checkpoint: keep
checkpoints elsewhere (audit.ChainOptions.OnCheckpoint), and give them with --checkpoints.

A log of several processes has a chain for each: name every chain with --stream.`,
		Example: `  securebedrock audit verify audit.log
  securebedrock audit verify audit.log --keys /etc/claims/audit-keys.json --open
  securebedrock audit verify audit.log --checkpoints /mnt/worm/claims.checkpoints`,
		Args: oneArg("a log", "audit.log"),
	}
	flags := c.Flags()
	flags.StringVarP(&keyFile, "keys", "k", "keys.json", "the log's keys, a `file`")
	flags.BoolVar(&verifier.Open, "open", false, "the log is still being written: a missing end is no finding")
	flags.StringSliceVar(&checkpointFiles, "checkpoints", nil, "checkpoints that were kept elsewhere, a `file`, in the place of LOG.checkpoints; repeat")
	flags.BoolVar(&alone, "without-checkpoints", false, "verify the chain alone: a log that was cut back to a checkpoint is not found")
	flags.StringSliceVar(&streams, "stream", nil, "the `name` of a chain that the log must hold, and no other; repeat")
	flags.BoolVar(&verifier.AnyStream, "any-stream", false, "permit chains that nothing names: who can write to the log can then insert another log of the same keys")
	c.RunE = action(func(c *cobra.Command, args []string) error {
		if alone && len(checkpointFiles) > 0 {
			return usagef("--checkpoints and --without-checkpoints exclude each other")
		}
		keys, err := audit.LoadKeys(keyFile)
		if err != nil {
			return err
		}
		verifier.Keys, verifier.Streams = keys.Verification(), streams
		report, err := verify(&verifier, args[0], checkpointFiles, alone)
		if err != nil {
			return err
		}
		return tell(c, args[0], report)
	})
	return c
}

// verify reads the log with the checkpoints beside it, with those that are named, or with
// none.
func verify(v *audit.Verifier, log string, checkpointFiles []string, alone bool) (*audit.Report, error) {
	f, err := os.Open(log)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if len(checkpointFiles) == 0 && !alone {
		report, err := v.VerifyFile(log)
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%w; give the checkpoints with --checkpoints", err)
		}
		return report, err
	}
	for _, path := range checkpointFiles {
		kept, err := readCheckpoints(path)
		if err != nil {
			return nil, err
		}
		v.Expect = append(v.Expect, kept...)
	}
	return v.Verify(f)
}

func readCheckpoints(path string) ([]audit.Checkpoint, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	kept, err := audit.ReadCheckpoints(f)
	if err == nil && len(kept) == 0 {
		err = fmt.Errorf("%s has no checkpoint; name the file that OnCheckpoint wrote", path)
	}
	return kept, err
}

// tell prints the report. Notes and findings go to stdout: they are the result.
func tell(c *cobra.Command, log string, report *audit.Report) error {
	out := c.OutOrStdout()
	for _, n := range report.Notes {
		fmt.Fprintln(out, "note:", n)
	}
	for _, f := range report.Findings {
		fmt.Fprintln(out, "finding:", f)
	}
	if report.More > 0 {
		fmt.Fprintf(out, "%d more are not listed\n", report.More)
	}
	counts := counted(report.Records, "record") + ", " + counted(report.Checkpoints, "checkpoint") + ", " + counted(report.Streams, "chain")
	if !report.OK() {
		fmt.Fprintf(out, "%s does not verify: %s\n", log, counts)
		return finding()
	}
	fmt.Fprintf(out, "%s verifies: %s\n", log, counts)
	return nil
}
