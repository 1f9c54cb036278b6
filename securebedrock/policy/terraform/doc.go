// Package terraform writes the documents of package policy as a Terraform file.
package terraform
