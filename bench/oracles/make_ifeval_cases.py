"""How lm-evaluation-harness checks IFEval's instructions on made-up answers. Usage: make_ifeval_cases.py OUT.json
(pip install lm_eval langdetect immutabledict nltk; no network.) Sentences and words in capitals are left out: they want NLTK's models, which have
to be downloaded. OUT.json receives answers, records of one instruction or several, and which instructions each answer follows, strictly and leniently."""
import json
import random
import sys
import types

import nltk

nltk.download = lambda *args, **kwargs: True
nltk.data.find = lambda *args, **kwargs: True
import langdetect
from lm_eval.tasks.ifeval import utils

langdetect.DetectorFactory.seed = 0
rng = random.Random(3)
english = "The quick robot walks over the old bridge near the river, and nobody in the village knows where it came from."
german = "Der alte Mann geht jeden Morgen zum Markt und kauft dort frisches Brot, Käse und ein paar Äpfel für seine Familie."
hindi = "यह एक लंबा वाक्य है जो हिंदी में लिखा गया है और इसमें कई शब्द हैं।"
pieces = [english, german, hindi, english.upper(), english.lower().replace(",", ""), '"quoted all over"', "* one\n* two\n- three", "*high* and **bold** and * * and ****",
          "Section 1 a\nSection 2 b\nSECTION 3", "first\n***\nsecond\n***\nthird", "***\nfirst\n***\nsecond\n***", "one ****** two", "same******same", "******a******b******", "<<A title>>\ntext", "<< >>",
          "text P.S. more", "text p. p. s now", "P.P.S bye", "PS: no", '{"a": [1, 2]}', "```json\n{\"a\": 1}\n```", "{'a': 1}", "NaN", "[name] and [address] [x\ny]", "My answer is yes.", "My answer is maybe, no.",
          "weekend para\n\n\"Second, one\n\nthird", "a\n\n\n\nb\n\nc", "Say this first. Then that. Any more questions?", "say THIS first. And more", "the end", '"The End"', "cat cats concat CAT a.t", "naïve café letters éé e", "", "   ", "word " * 30, "Sure!\n*cat* and dog\nHope this helps"]
instructions = [
    ("keywords:existence", {"keywords": ["cat", "a.t"]}), ("keywords:existence", {"keywords": ["river"]}), ("keywords:frequency", {"keyword": "cat", "frequency": 2, "relation": "at least"}),
    ("keywords:frequency", {"keyword": " word ", "frequency": 9, "relation": "less than"}), ("keywords:forbidden_words", {"forbidden_words": ["cat", "quick"]}), ("keywords:forbidden_words", {"forbidden_words": ["café"]}),
    ("keywords:letter_frequency", {"letter": "E", "let_frequency": 3, "let_relation": "at least"}), ("keywords:letter_frequency", {"letter": "o", "let_frequency": 2, "let_relation": "less than"}),
    ("language:response_language", {"language": "de"}), ("language:response_language", {"language": "hi"}), ("length_constraints:number_paragraphs", {"num_paragraphs": 2}),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 3}), ("length_constraints:number_words", {"num_words": 10, "relation": "at least"}), ("length_constraints:number_words", {"num_words": 5, "relation": "less than"}),
    ("length_constraints:nth_paragraph_first_word", {"num_paragraphs": 3, "nth_paragraph": 2, "first_word": "Second"}), ("length_constraints:nth_paragraph_first_word", {"num_paragraphs": 3, "nth_paragraph": 1, "first_word": "a"}),
    ("detectable_content:number_placeholders", {"num_placeholders": 2}), ("detectable_content:postscript", {"postscript_marker": "P.S."}), ("detectable_content:postscript", {"postscript_marker": "P.P.S"}),
    ("detectable_format:number_bullet_lists", {"num_bullets": 3}), ("detectable_format:constrained_response", {}), ("detectable_format:number_highlighted_sections", {"num_highlights": 2}),
    ("detectable_format:multiple_sections", {"section_spliter": "Section", "num_sections": 2}), ("detectable_format:json_format", {}), ("detectable_format:title", {}), ("combination:two_responses", {}),
    ("combination:repeat_prompt", {"prompt_to_repeat": "Say this first."}), ("startend:end_checker", {"end_phrase": "Any more questions?"}), ("startend:end_checker", {"end_phrase": "the END"}), ("startend:quotation", {}),
    ("change_case:english_capital", {}), ("change_case:english_lowercase", {}), ("punctuation:no_comma", {}),
]
# The hub's rows name every argument, null where it is of another instruction.
everything = sorted({key for _, given in instructions for key in given})
answers = pieces + ["\n".join(rng.sample(pieces, 3)) for _ in range(14)]
cases = []
for several in [[each] for each in instructions] + [rng.sample(instructions, 3) for _ in range(6)]:
    record = {"key": len(cases), "prompt": f"Prompt {len(cases)}", "instruction_id_list": [name for name, _ in several], "kwargs": [{**dict.fromkeys(everything), **given} for _, given in several]}
    scores = [utils.process_results(record, [answer]) for answer in answers]
    cases.append({"record": record, "strict": [[int(each) for each in score["inst_level_strict_acc"]] for score in scores], "loose": [[int(each) for each in score["inst_level_loose_acc"]] for score in scores]})
with open(sys.argv[1], "w") as out:
    json.dump({"answers": answers, "cases": cases}, out, ensure_ascii=False)
print(f"{len(cases)} records, {len(answers)} answers")
