package policy

// LoggingRole is the role with which Bedrock writes the invocation logs to CloudWatch Logs:
// its trust policy, and an inline policy for the one log stream. The client has no such
// rule.
//
// No resource policy of CloudWatch Logs is needed, since Bedrock and CloudTrail write with
// a role each. Delivery to S3 needs no role either, but the bucket's policy.
// https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html
func LoggingRole(s *Spec) ([]Document, error) {
	l := &s.acct.Resources.Logs
	if l.Role == "" {
		return nil, nil
	}
	return fitAll(
		serviceTrust(s, l.Role, "Lets Bedrock assume this role to write invocation logs of the account and region.", "bedrock.amazonaws.com", s.arn("*")),
		writeStreams("logging-role", "Lets Bedrock write the invocation logs to the log group "+l.Group+".", l.Role,
			s.serviceARN("logs", s.region, "log-group:"+l.Group+":log-stream:aws/bedrock/modelinvocations")))
}

// TrailRole is the role with which CloudTrail delivers to CloudWatch Logs: its trust
// policy, and an inline policy for the trail's own log streams. The client has no such rule.
//
// That CloudTrail passes aws:SourceArn and aws:SourceAccount as it assumes the role is
// unverified; AWS's page shows no condition. Without them UpdateTrail fails at once.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-required-policy-for-cloudwatch-logs.html
func TrailRole(s *Spec) ([]Document, error) {
	t := &s.acct.Resources.Trail
	if t.Role == "" {
		return nil, nil
	}
	home := s.trailRegion()
	return fitAll(
		serviceTrust(s, t.Role, "Lets CloudTrail assume this role for the trail "+t.Name+".", "cloudtrail.amazonaws.com", s.trailARN(home)),
		writeStreams("trail-role", "Lets CloudTrail deliver to the log group "+t.Group+".", t.Role,
			s.serviceARN("logs", home, "log-group:"+t.Group+":log-stream:"+s.account+"_CloudTrail_"+home+"*")))
}

// writeStreams is an inline policy for log streams.
func writeStreams(name, purpose, role, stream string) Document {
	return Document{
		Name: name, Kind: KindInline,
		Purpose: purpose,
		Attach:  "to the role " + role + ", as an inline policy",
		Statements: []Statement{{
			Sid: "WriteLogStream", Effect: Allow,
			Action:   []string{"logs:CreateLogStream", "logs:PutLogEvents"},
			Resource: []string{stream},
		}},
	}
}

// trailRegion is the trail's home region.
func (s *Spec) trailRegion() string {
	if home := s.acct.Resources.Trail.Region; home != "" {
		return home
	}
	return s.region
}

// trailARN is the trail's ARN. A region of "*" stands for every region: CloudTrail encrypts
// the files of a multi-Region trail in each.
func (s *Spec) trailARN(region string) string {
	return s.serviceARN("cloudtrail", region, "trail/"+s.acct.Resources.Trail.Name)
}
