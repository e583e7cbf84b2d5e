"""The Velocity Template Language, as mapping templates of API Gateway use it: compiled once, run as closures.

It is not a library's: those for Python take the backslashes of a text for escapes, which they are not, and the
templates that the CDK and the Serverless Framework write depend on that.
"""

from asl_engine.gateway.velocity.expressions import TemplateFault
from asl_engine.gateway.velocity.template import VelocityTemplate
from asl_engine.gateway.velocity.values import Methods

__all__ = ["Methods", "TemplateFault", "VelocityTemplate"]
