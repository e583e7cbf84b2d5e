"""The operations of the Step Functions API, by group; `table` names them all."""
