module github.com/securebedrock/securebedrock-go/internal/checks/release

go 1.25.0
