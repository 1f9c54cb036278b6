package main

import (
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of the command and of the library in it",
		Long: `version prints the version of the command, of the library that it was built with, and of
Go. The three say which rules the policies follow: policies change with the library.`,
		Args: noArgs,
		RunE: action(func(c *cobra.Command, _ []string) error {
			info, ok := debug.ReadBuildInfo()
			if !ok {
				info = &debug.BuildInfo{}
			}
			_, err := fmt.Fprint(c.OutOrStdout(), versionOf(info))
			return err
		}),
	}
}

// ownVersion is the version of the command alone.
func ownVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(unknown)"
}

const library = "github.com/securebedrock/securebedrock-go"

// versionOf says the version of the command and of the library's modules in it.
func versionOf(info *debug.BuildInfo) string {
	known := func(version string) string {
		if version == "" {
			return "(unknown)"
		}
		return version
	}
	var b strings.Builder
	fmt.Fprintf(&b, "securebedrock %s\n", known(info.Main.Version))
	for _, dep := range info.Deps {
		if dep.Path != library {
			continue
		}
		version := known(dep.Version)
		if dep.Replace != nil {
			version += " (replaced by a checkout)"
		}
		fmt.Fprintf(&b, "library       %s\n", version)
	}
	fmt.Fprintf(&b, "go            %s\n", known(info.GoVersion))
	return b.String()
}
