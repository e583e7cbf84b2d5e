"""Templates of Velocity: what they write, and where they are wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from asl_engine.gateway.mapping_templates import rendered
from asl_engine.gateway.velocity import TemplateFault, VelocityTemplate

NAMES: dict[str, Any] = {
    "a": {"b": [1, {"c": "d"}], "t": True, "empty-one": "", "n": None},
    "list": ["x", "y", "z"],
    "text": "it's",
}
CASES = {
    # references
    "$text": "it's",
    "${text}s $!text": "it'ss it's",
    "$a.b[1].c.": "d.",
    "$a.b $a.t": "[1, {c=d}] true",
    "[$missing][$!missing.x.y][$a.n]": "[][][]",
    "$ 5$ #1 #fff $1": "$ 5$ #1 #fff $1",
    r"\$text \#if \n": "$text #if \\n",
    "$a.empty-one.isEmpty() $list.empty": "true false",
    "$a.get('t') $a.keySet().size()": "true 4",
    # methods
    "$text.replaceAll('(t)','<$1>')": "i<t>'s",
    "$list.get(1) $list.size() $list.contains('q')": "y 3 false",
    "$text.substring(1,2)$text.substring(3).toUpperCase()": "tS",
    '#foreach($x in $text.split("\'"))[$x]#end': "[it][s]",
    # directives
    "#set($x = 1 + 2 * 3)$x": "7",
    "#set($x = (1 + 2) * 3 - 10 / 4 % 3)$x": "7",
    "#set($x = -7 / 2)$x": "-3",
    '#set($x = "a" + 1)$x': "a1",
    '#set($x = "say ""$text"" $list[0]")$x': 'say "it\'s" x',
    "#set($x = '$text ''q''')$x": "$text 'q'",
    "#set($x = {'k': [1,2], \"l\": {}})$x.k[1] $x": "2 {k=[1, 2], l={}}",
    "#set($a.z = 5)#set($a.b[0] = 6)$a.z$a.b[0]": "56",
    "#if($a.t && !$missing)yes#{else}no#end": "yes",
    "#if($missing)1#elseif($list.size() > 2)2#else 3#end": "2",
    "#if('' == $a.empty-one and 1 != '2')yes#end": "yes",
    "#if(1 eq '1' && 2 ge 2 && 'a' lt 'b' or false)yes#end": "yes",
    "#if('a' > 1)yes#{else}no#end": "no",
    "#foreach($x in $list)$x#if($foreach.hasNext),#end#end": "x,y,z",
    "#foreach($x in [1..3])$foreach.index$velocityCount #end": "01 12 23 ",
    "#foreach($x in $list)#if($x == 'y')#break#end$x#end": "x",
    "#foreach($x in {'k': 1})$x#end#foreach($x in $missing)never#end": "1",
    "#foreach($x in [3..1])$x#end $x": "321 ",
    "#define($d)<$n>#end#set($n = 1)$d#set($n = 2)$d": "<1><2>",
    "## gone\nstays #* gone\n *#here": "stays here",
    "#[[$text #if]]#": "$text #if",
    "one#stop two": "one",
    "#set($x = 1)\n#if(true)\n  in\n#end\nout": "  in\nout",
}
FAULTS = {
    "\n#if($a": "line 2: ')' is expected at ''",
    "#if(true)never ends": "line 1: #if has no #end",
    "#foreach($x in $list)": "line 1: #foreach has no #end",
    "\n\n#end": "line 3: no #end, which ends nothing, is expected",
    "#set($x)": "line 1: '=' is expected at ')'",
    "#set($x = )": "line 1: a value is expected at ')'",
    "#set($a.b.c.d = 1)": "line 1: $a has nothing in which d could be set",
    "#set($a.get('b') = 1)": "line 1: what a method returns cannot be set",
    "\n$text.reverse()": "line 2: $text.reverse(): a text has no method reverse",
    "$list.get(9)": "line 1: $list.get(9): list index out of range",
    "$text.replaceAll('(','')": "line 1: $text.replaceAll('(',''): missing )",
    "#foreach($x in [1..99999])#end": "line 1: a range is between two numbers",
    "#define($d)$d#end$d": "$d is defined by itself",
    "#set($x = [1, 2)": "line 1: ',' is expected at ')'",
}


@pytest.mark.parametrize("text", CASES)
def test_a_template_writes(text: str) -> None:
    names = json.loads(json.dumps(NAMES))
    assert VelocityTemplate(text).render(names) == CASES[text]


@pytest.mark.parametrize("text", FAULTS)
def test_a_template_that_is_wrong_says_where(text: str) -> None:
    with pytest.raises(TemplateFault) as fault:
        VelocityTemplate(text).render(json.loads(json.dumps(NAMES)))
    assert str(fault.value).startswith(FAULTS[text])


def of_a_request(template: str, body: str = '{"a": {"b": [1, "é"]}, "s": "x"}', *, is_json: bool = True) -> str:
    parameters = {"header": {"X-Tag": "h"}, "path": {"id": "7"}, "querystring": {"q": "1", "id": "9"}}
    return rendered(template, body, is_json=is_json, parameters=parameters, context={"stage": "dev"})


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("$input.body", '{"a": {"b": [1, "é"]}, "s": "x"}'),
        ("$input.json('$')", '{"a":{"b":[1,"é"]},"s":"x"}'),
        ("$input.json('$.a.b') $input.json('$.s') [$input.json('$.no')]", '[1,"é"] "x" []'),
        ("$input.path('$.s') $input.path('$.a.b[0]') [$input.path('$.no')]", "x 1 []"),
        ("#set($root = $input.path('$'))$root.a.b.size()", "2"),
        ("$input.params('id') $input.params('x-tag') $input.params('q') [$input.params('no')]", "7 h 1 []"),
        ("$input.params().header.get('X-Tag') $input.params().path.id", "h 7"),
        ("$util.escapeJavaScript($input.json('$.a'))", r"{\"b\":[1,\"\u00E9\"]}"),
        ('$util.escapeJavaScript("it\'s")', r"it\'s"),
        ("$util.parseJson('{\"k\": [5]}').k[0]", "5"),
        ("$util.urlEncode('a b&c') $util.urlDecode('a+b%26c')", "a+b%26c a b&c"),
        ("$util.base64Encode('é') $util.base64Decode('w6k=')", "w6k= é"),
        ("$context.stage $stageVariables.size()", "dev 0"),
    ],
)
def test_what_a_template_knows_of_a_request(template: str, text: str) -> None:
    assert of_a_request(template) == text


def test_a_body_that_is_not_json_is_a_text_where_none_was_expected() -> None:
    assert of_a_request("$input.path('$').split('&').size()", "a=1&b=2", is_json=False) == "2"


# As the CDK writes it for StepFunctionsRestApi, with headers and the request context.
OF_THE_CDK = """## forwards the request
#set($inputString = '')
#set($includeHeaders = true)
#set($includeQueryString = true)
#set($includePath = true)
#set($includeAuthorizer = false)
#set($allParams = $input.params())
{
    "stateMachineArn": "MACHINE",

    #set($inputString = "$inputString,@@body@@: $input.body")

    #if ($includeHeaders)
        #set($inputString = "$inputString, @@header@@:{")
        #foreach($paramName in $allParams.header.keySet())
            #set($inputString = "$inputString @@$paramName@@: \
@@$util.escapeJavaScript($allParams.header.get($paramName))@@")
            #if($foreach.hasNext)
                #set($inputString = "$inputString,")
            #end
        #end
        #set($inputString = "$inputString }")
    #end

    #if ($includeQueryString)
        #set($inputString = "$inputString, @@querystring@@:{")
        #foreach($paramName in $allParams.querystring.keySet())
            #set($inputString = "$inputString @@$paramName@@: \
@@$util.escapeJavaScript($allParams.querystring.get($paramName))@@")
            #if($foreach.hasNext)
                #set($inputString = "$inputString,")
            #end
        #end
        #set($inputString = "$inputString }")
    #end

    #set($requestContext = "{@@stage@@:@@$context.stage@@}")
    ## whether the request context is to be a part of it
    #if($requestContext && !$requestContext.empty)
        #set($inputString = "$inputString,")
        #set($inputString = "$inputString @@requestContext@@: $requestContext")
    #end

    #set($inputString = "$inputString}")
    #set($inputString = $inputString.replaceAll("@@",'"'))
    #set($len = $inputString.length() - 1)
    "input": "{$util.escapeJavaScript($inputString.substring(1,$len)).replaceAll("\\\\'","'")}"
}
"""


def test_the_template_of_the_cdk() -> None:
    made = json.loads(of_a_request(OF_THE_CDK, '{"a": "it\'s"}'))
    assert made["stateMachineArn"] == "MACHINE"
    assert json.loads(made["input"]) == {
        "body": {"a": "it's"},
        "header": {"X-Tag": "h"},
        "querystring": {"q": "1", "id": "9"},
        "requestContext": {"stage": "dev"},
    }


# As serverless-step-functions writes it for `request: template: lambda_proxy`, shortened.
LAMBDA_PROXY = r"""
  #set( $body = $input.body )
  #define( $loop )
  {
    #foreach($key in $map.keySet())
      #set( $k = $util.escapeJavaScript($key) )
      #set( $v = $util.escapeJavaScript($map.get($key)).replaceAll("\\'", "'") )
      "$k":
        #if ("$v" == "")
          null
        #else
          "$v"
        #end
        #if( $foreach.hasNext ) , #end
    #end
  }
  #end
  #define( $smInput )
  {
    "httpMethod": "$context.httpMethod",
    #set( $map = $input.params().header )
    "headers": $loop,
    #if ($stageVariables.size() == 0)
    "stageVariables": null,
    #end
    "requestContext": {
      #set( $map = $context.authorizer )
      "authorizer": $loop,
      "stage": "$context.stage"
    },
    "body": "$util.escapeJavaScript("$body").replaceAll("\\'", "'")"
  }
  #end
  {
    "input": "$util.escapeJavaScript("$smInput").replaceAll("\\'", "'")"
  }"""


def test_the_lambda_proxy_template_of_serverless() -> None:
    made = json.loads(json.loads(of_a_request(LAMBDA_PROXY, '{"a": "it\'s"}'))["input"])
    assert made == {
        "httpMethod": "",
        "headers": {"X-Tag": "h"},
        "stageVariables": None,
        "requestContext": {"authorizer": {}, "stage": "dev"},
        "body": '{"a": "it\'s"}',
    }
