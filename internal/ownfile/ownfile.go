// Package ownfile is what a file that belongs to one process and its owner needs.
package ownfile
