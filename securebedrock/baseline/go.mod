module github.com/securebedrock/securebedrock-go/securebedrock/baseline

go 1.25.0
