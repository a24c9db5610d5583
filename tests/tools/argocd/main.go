// Argo CD's application controller and repo-server in one program, for the real-server tests.
//
// Argo CD's own main package also links the API server, which embeds a web interface that its module does not carry.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	controller "github.com/argoproj/argo-cd/v3/cmd/argocd-application-controller/commands"
	askpass "github.com/argoproj/argo-cd/v3/cmd/argocd-git-ask-pass/commands"
	reposerver "github.com/argoproj/argo-cd/v3/cmd/argocd-repo-server/commands"
	"github.com/spf13/cobra"
)

func main() {
	name := filepath.Base(os.Args[0])
	if from := os.Getenv("ARGOCD_BINARY_NAME"); from != "" {
		name = from
	}
	commands := map[string]func() *cobra.Command{
		"argocd-application-controller": controller.NewCommand,
		"argocd-repo-server":            reposerver.NewCommand,
		"argocd-git-ask-pass":           askpass.NewCommand,
	}
	command, known := commands[name]
	if !known {
		fmt.Fprintf(os.Stderr, "%s is no program in here; start it under the name of one, or name one in ARGOCD_BINARY_NAME.\n", name)
		os.Exit(64)
	}
	if command().Execute() != nil {
		os.Exit(1)
	}
}
