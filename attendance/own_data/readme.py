"""The page that explains the file, in both languages; it goes home, where nobody has these pages to look at."""

from __future__ import annotations

import datetime as dt

ENGLISH = """\
YOUR DATA AT {school}
made on {day}

This is everything that Rollcall, the program that takes the register, holds about you on this day.
You may have it corrected or deleted: ask the school. You may complain to your data protection authority.

data.json      all tables in one file, for programs
tables/        the same tables one by one, for a spreadsheet (a table is missing where nothing is held)
  profile            your name, number and e-mail; log_in: your log-in, if you have one
  consent, consent_history, consent_slips, consent_links, consent_scans
                     who agreed to recognition, when, how, on which text; and who took it back
  courses            the courses you are or were in
  contacts           who gets letters about absence (addresses are shortened: x...@example.org)
  marks              your marks, who set them, why, and what the program would have said
  mark_changes       changes people made, also those taken back
  sightings          faces in photos that were named as you: where in the photo, how sure, and the 128 numbers
  compared_with      faces that were compared with yours, with distance and probability
  second_opinions    what a second program said about those faces
  checked_by_people, said_at_the_desk, faces_not_used
                     what teachers said about faces that were, or might have been, you
  excuses, objections, warnings, messages, sign_in_tickets, sign_ins
                     excuses, your objections and their answers, letters sent, signing in by code
  portraits, face_templates, second_network
                     photos you were enrolled with, and the numbers made from them that you are recognised by
  who_looked         when somebody looked at your page, photos or marks, and what they were (teacher, registrar ...)
portraits/     the photos you were enrolled with
photos/        classroom photos you are shown in and that are still kept
faces/         your face, cut out of these photos
letters/       letters handed in with excuses;  consent/  scans of consent

What is not in it: everybody else. In photos all other faces are averaged away and cannot be brought back; a
program looks for them, so please treat what is left in the background with respect. In texts, names of other
students stand as [...]. People who work at the school appear as what they are, not by name. A photo of which it is
not sure that it shows you is not given out. Photos older than the school keeps them are gone; your marks stay.
"""
SPANISH = """\
SUS DATOS EN {school}
hecho el {day}

Esto es todo lo que Rollcall, el programa con el que se pasa lista, guarda sobre usted en este día.
Puede pedir al centro que lo corrija o lo borre. Puede reclamar ante la autoridad de protección de datos.

data.json      todas las tablas en un archivo, para programas
tables/        las mismas tablas una a una, para una hoja de cálculo (falta la tabla de la que no se guarda nada)
  profile            su nombre, número y correo; log_in: su acceso, si lo tiene
  consent, consent_history, consent_slips, consent_links, consent_scans
                     quién aceptó el reconocimiento, cuándo, cómo, con qué texto; y quién lo retiró
  courses            los cursos en los que está o estuvo
  contacts           quién recibe cartas sobre faltas (las direcciones van abreviadas: x...@example.org)
  marks              sus marcas, quién las puso, por qué, y qué habría dicho el programa
  mark_changes       cambios hechos por personas, también los deshechos
  sightings          caras en fotos nombradas como la suya: dónde, con qué seguridad, y los 128 números
  compared_with      caras que se compararon con la suya, con distancia y probabilidad
  second_opinions    qué dijo un segundo programa de esas caras
  checked_by_people, said_at_the_desk, faces_not_used
                     qué dijeron los profesores de caras que eran, o podían ser, la suya
  excuses, objections, warnings, messages, sign_in_tickets, sign_ins
                     justificantes, sus objeciones y las respuestas, cartas enviadas, firmas con código
  portraits, face_templates, second_network
                     fotos con las que se le dio de alta y los números hechos con ellas por los que se le reconoce
  who_looked         cuándo alguien miró su página, fotos o marcas, y qué era (profesor, secretaría ...)
portraits/     las fotos con las que se le dio de alta
photos/        fotos de clase en las que aparece y que aún se guardan
faces/         su cara, recortada de esas fotos
letters/       cartas entregadas con justificantes;  consent/  consentimientos escaneados

Lo que no está: las demás personas. En las fotos todas las otras caras están promediadas y no se pueden recuperar;
las busca un programa, así que trate con respeto lo que quede al fondo. En los textos, los nombres de otros alumnos
aparecen como [...]. Quienes trabajan en el centro figuran por su función, no por su nombre. No se entrega ninguna
foto de la que no sea seguro que le muestra. Las fotos más antiguas de lo que el centro guarda ya no existen; las
marcas quedan.
"""


def text(school: str, made_at: dt.datetime) -> str:
    """README.txt: English, then Spanish; lines end as every editor reads them."""
    both = ENGLISH + "\n" + "-" * 100 + "\n\n" + SPANISH
    return both.format(school=school, day=made_at.strftime("%Y-%m-%d %H:%M")).replace("\n", "\r\n")
