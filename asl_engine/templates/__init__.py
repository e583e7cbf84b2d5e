"""Projects as they are written for other tools: which state machines and functions their files declare.

Each format has a reader from text to ``Declarations``: templates of SAM and CloudFormation (those of the CDK among
them), configurations of the Serverless Framework, plans of Terraform.  A reader opens nothing itself: what lies
in other files it is given by an argument.  References have the values that they would have on AWS, in the
project's own region and account; one that has no value stays as ``${Name}``, and a finding says where it is.
"""
